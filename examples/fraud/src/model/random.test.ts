import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.js';

const DRAWS = 50_000;

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between near seeds', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed).next);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it.each([
    ['uniform', (random: ReturnType<typeof seededRandom>) => random.uniform(0, 12), 6, 12],
    ['normal', (random: ReturnType<typeof seededRandom>) => random.normal(5, 3), 5, 9],
    ['poisson', (random: ReturnType<typeof seededRandom>) => random.poisson(3), 3, 3],
  ])('%s has its mean and variance', (_, draw, mean, variance) => {
    const random = seededRandom(1);
    const values = Array.from({ length: DRAWS }, () => draw(random));
    const average = values.reduce((sum, value) => sum + value, 0) / DRAWS;
    const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / DRAWS;
    expect(Math.abs(average - mean)).toBeLessThan(0.1);
    expect(Math.abs(squares - variance) / variance).toBeLessThan(0.05);
  });
});
