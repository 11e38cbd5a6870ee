import type { Random } from './random.js';

const GRID_SIDE = 100;
/** A customer pays at terminals up to this far away. */
const REACH = 5;

/** A card's habits. */
export interface CardProfile {
  readonly name: string;
  readonly meanAmount: number;
  readonly deviation: number;
  readonly paymentsPerDay: number;
  /** Indexes of the terminals within reach of the customer. */
  readonly terminals: readonly number[];
}

/** The cards and terminals of the simulation. */
export interface World {
  readonly cards: readonly CardProfile[];
  readonly terminals: readonly string[];
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Draws customers and terminals on a 100 × 100 grid. */
export function drawWorld(random: Random, cards: number, terminals: number): World {
  const places = Array.from({ length: terminals }, () => drawPlace(random));
  const nearby = indexBySquare(places);
  const drawn: CardProfile[] = [];
  for (let index = 0; index < cards; index += 1) {
    const home = drawPlace(random);
    const meanAmount = random.uniform(5, 100);
    drawn.push({
      name: `c${index}`,
      meanAmount,
      deviation: meanAmount / 2,
      paymentsPerDay: random.uniform(0, 4),
      terminals: within(home, nearby, places),
    });
  }
  return { cards: drawn, terminals: places.map((_, index) => `t${index}`) };
}

function drawPlace(random: Random): Place {
  return { x: random.uniform(0, GRID_SIDE), y: random.uniform(0, GRID_SIDE) };
}

const SQUARES = GRID_SIDE / REACH;

function indexBySquare(places: readonly Place[]): readonly (readonly number[])[] {
  const squares: number[][] = Array.from({ length: SQUARES * SQUARES }, () => []);
  places.forEach(({ x, y }, index) => {
    squares[Math.floor(y / REACH) * SQUARES + Math.floor(x / REACH)]!.push(index);
  });
  return squares;
}

function within(
  home: Place,
  squares: readonly (readonly number[])[],
  places: readonly Place[],
): readonly number[] {
  const found: number[] = [];
  const column = Math.floor(home.x / REACH);
  const line = Math.floor(home.y / REACH);
  for (let y = Math.max(0, line - 1); y <= Math.min(SQUARES - 1, line + 1); y += 1) {
    for (let x = Math.max(0, column - 1); x <= Math.min(SQUARES - 1, column + 1); x += 1) {
      for (const index of squares[y * SQUARES + x]!) {
        const place = places[index]!;
        if (Math.hypot(place.x - home.x, place.y - home.y) < REACH) found.push(index);
      }
    }
  }
  return found;
}
