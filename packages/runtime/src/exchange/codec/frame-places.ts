import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import type { PlaceRange, Places } from '../../engine/record-places.js';
import { PlacesForm } from './frame-format.js';

/** Between the texts of places: in no name of a split, or position. */
const separator = '\u0000';

/** Writes where a frame's records stood in their sources: one text, since it is seldom read. */
export function writePlaces(out: ByteWriter, places: readonly PlaceRange[]): void {
  const texts = places.flatMap(({ split, first, last }) => [split, first, last]);
  const bytes = Buffer.from(texts.join(separator));
  out.u8(PlacesForm.texts);
  out.varint(bytes.length);
  out.raw(bytes);
}

/** Takes what {@link writePlaces} wrote; it is looked at when somebody asks. */
export function readPlaces(reader: ByteReader): Places {
  const form = reader.u8();
  if (form !== PlacesForm.texts) reader.corrupt(`${form} is not the form of places`);
  const length = reader.count(1);
  const start = reader.advance(length);
  return new FramePlaces(reader.bytes.slice(start, start + length));
}

/** Places of a frame's records, known of all of them together. */
class FramePlaces implements Places {
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  between(): readonly PlaceRange[] {
    const texts = Buffer.from(this.bytes).toString().split(separator);
    const ranges: PlaceRange[] = [];
    for (let at = 0; at + 2 < texts.length; at += 3) {
      ranges.push({ split: texts[at]!, first: texts[at + 1]!, last: texts[at + 2]! });
    }
    return ranges;
  }
}
