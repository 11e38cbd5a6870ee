import { describe, expect, test } from 'vitest';
import { Compiler } from './compiler.js';

describe('the compiler', () => {
  test('never makes two functions of one text: they would share inline caches', () => {
    const compiler = new Compiler('job');
    const make = (): (() => number) =>
      compiler.compile('op', 'loop', { names: ['x'], values: [1], body: 'return () => x;' });
    const [a, b] = [make(), make()];
    expect(a()).toBe(b());
    expect(a).not.toBe(b);
    expect(compiler.generated).toHaveLength(2);
    const other = new Compiler('job').compile<() => number>('op', 'loop', {
      names: ['x'],
      values: [2],
      body: 'return () => x;',
    });
    expect(other()).toBe(2);
  });

  test('a name in an id cannot break out of the comment', () => {
    const compiler = new Compiler('job');
    const made = compiler.compile<number>('op\nthrow 1; //', 'loop', {
      names: [],
      values: [],
      body: 'return 3;',
    });
    expect(made).toBe(3);
  });
});
