import { MillraceError } from '../errors/millrace-error.js';

const forbidden = (what: string): never => {
  throw new MillraceError(
    'ERR_FORBIDDEN_IN_BUILD',
    `${what} was used while the graph was built; pass what it is for as a param`,
  );
};

/** A property that is replaced while a job is built. */
interface Replacement {
  readonly owner: object;
  readonly name: string;
  readonly value: unknown;
}

/**
 * Runs `action` with clock, randomness and environment variables forbidden: a graph must depend on
 * its params alone, or two workers would build two jobs. Synchronous, so nothing else can run in
 * between.
 */
export function withoutAmbientInputs(action: () => void): void {
  const originals = replacements().map(({ owner, name, value }) => {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)!;
    Object.defineProperty(owner, name, { ...dataOnly(descriptor), value });
    return { owner, name, descriptor };
  });
  try {
    const result: unknown = action();
    if (result instanceof Promise) {
      throw new MillraceError('ERR_FORBIDDEN_IN_BUILD', 'the build function is async');
    }
  } finally {
    for (const { owner, name, descriptor } of originals) {
      Object.defineProperty(owner, name, descriptor);
    }
  }
}

const dataOnly = ({ enumerable, configurable }: PropertyDescriptor): PropertyDescriptor => ({
  enumerable: enumerable ?? false,
  configurable: configurable ?? false,
  writable: true,
});

/** The object that has the property: hosts keep methods on prototypes or on the object. */
function ownerOf(object: object, name: string): object | undefined {
  let owner: object | null = object;
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
  return owner ?? undefined;
}

function replacements(): readonly Replacement[] {
  const world = globalThis as typeof globalThis & {
    process?: { env: object };
    performance?: object;
  };
  const date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      args.length === 0 ? forbidden('new Date()') : Reflect.construct(target, args, newTarget),
    apply: () => forbidden('Date()'),
    get: (target, name, receiver) =>
      name === 'now' ? () => forbidden('Date.now') : Reflect.get(target, name, receiver),
  });
  const all: Replacement[] = [
    { owner: globalThis, name: 'Date', value: date },
    { owner: Math, name: 'random', value: () => forbidden('Math.random') },
  ];
  if (world.process?.env !== undefined) {
    const env = new Proxy({}, { get: (_target, name) => forbidden(`process.env.${String(name)}`) });
    all.push({ owner: world.process, name: 'env', value: env });
  }
  const { performance } = world;
  const owner = performance === undefined ? undefined : ownerOf(performance, 'now');
  if (owner !== undefined) {
    all.push({ owner, name: 'now', value: () => forbidden('performance.now') });
  }
  return all;
}
