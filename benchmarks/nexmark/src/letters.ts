const letterC = 99;

/** How many letters c a text has. */
export function lettersC(text: string): number {
  let letters = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === letterC) letters++;
  return letters;
}
