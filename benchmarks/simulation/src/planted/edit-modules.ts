import type { Edit } from './planted-bug.js';

/** What a module's source becomes. @throws Error where a text is not there exactly once */
export function editSource(source: string, edits: readonly Edit[]): string {
  let edited = source;
  for (const { module, find, replace } of edits) {
    const [before, after, ...more] = edited.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`${module} has not exactly one: ${find}`);
    }
    edited = `${before}${replace}${after}`;
  }
  return edited;
}

/** The built file of a module, from the folder of packages. */
export function fileOf(module: string): string {
  const [pkg, ...path] = module.split('/');
  return `${pkg}/dist/${path.join('/')}.js`;
}
