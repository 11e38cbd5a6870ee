/** Whether messages can be published to a subject: no wildcards, no empty parts, no spaces. */
export function isPublishable(subject: string): boolean {
  if (!/^[^\s.]+(\.[^\s.]+)*$/.test(subject)) return false;
  // Only as a whole part they are wildcards.
  return subject.split('.').every((part) => part !== '*' && part !== '>');
}

/** Whether a filter such as `orders.*.>` takes a subject, or all that another filter takes. */
export function takesSubject(filter: string, subject: string): boolean {
  const parts = subject.split('.');
  const wanted = filter.split('.');
  for (const [index, part] of wanted.entries()) {
    if (part === '>' && index === wanted.length - 1) return parts.length > index;
    if (index >= parts.length || parts[index] === '>') return false;
    if (part !== '*' && part !== parts[index]) return false;
  }
  return parts.length === wanted.length;
}
