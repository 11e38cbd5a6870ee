import { MillraceError } from '@millrace/core';

/** Matches surrogates without a partner; V8 knows at once that there are none in one-byte text. */
const loneSurrogate = /[\ud800-\udfff]/u;

/**
 * The text, for whoever writes it as UTF-8, where half a surrogate pair would become U+FFFD.
 *
 * @param field that it is the value of
 * @throws MillraceError ERR_UNSERIALISABLE_VALUE
 */
export function wellFormed(text: string, field?: string): string {
  if (!loneSurrogate.test(text)) return text;
  const detail =
    'a text with half a surrogate pair has no form in UTF-8; it was cut inside a character, ' +
    'or is to be encoded before the sink';
  throw new MillraceError('ERR_UNSERIALISABLE_VALUE', detail, { field });
}
