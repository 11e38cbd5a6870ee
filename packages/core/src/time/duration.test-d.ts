import { expectTypeOf, test } from 'vitest';
import type { Duration } from './duration.js';

test('a misspelt unit is a compile error', () => {
  expectTypeOf<'10m'>().toExtend<Duration>();
  expectTypeOf<'1.5s'>().toExtend<Duration>();
  expectTypeOf<1_500>().toExtend<Duration>();
  expectTypeOf<'10min'>().not.toExtend<Duration>();
  expectTypeOf<'10'>().not.toExtend<Duration>();
  expectTypeOf<'1h30m'>().not.toExtend<Duration>();
});
