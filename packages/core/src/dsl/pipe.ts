/**
 * The base of all handles. `pipe` has one signature for each arity: inference walks from left to
 * right, and a mistake is reported at the operator that makes it (`X & {}` keeps the compiler from
 * moving it to the one before).
 */
export interface Pipeable {
  pipe<This>(this: This): This;
  pipe<This, A>(this: This, a: (input: This) => A): A;
  pipe<This, A, B>(this: This, a: (input: This) => A, b: (input: A & {}) => B): B;
  pipe<This, A, B, C>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
  ): C;
  pipe<This, A, B, C, D>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
  ): D;
  pipe<This, A, B, C, D, E>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
  ): E;
  pipe<This, A, B, C, D, E, F>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
  ): F;
  pipe<This, A, B, C, D, E, F, G>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
    g: (input: F & {}) => G,
  ): G;
  pipe<This, A, B, C, D, E, F, G, H>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
    g: (input: F & {}) => G,
    h: (input: G & {}) => H,
  ): H;
  pipe<This, A, B, C, D, E, F, G, H, I>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
    g: (input: F & {}) => G,
    h: (input: G & {}) => H,
    i: (input: H & {}) => I,
  ): I;
  pipe<This, A, B, C, D, E, F, G, H, I, J>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
    g: (input: F & {}) => G,
    h: (input: G & {}) => H,
    i: (input: H & {}) => I,
    j: (input: I & {}) => J,
  ): J;
  pipe<This, A, B, C, D, E, F, G, H, I, J, K>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
    g: (input: F & {}) => G,
    h: (input: G & {}) => H,
    i: (input: H & {}) => I,
    j: (input: I & {}) => J,
    k: (input: J & {}) => K,
  ): K;
  pipe<This, A, B, C, D, E, F, G, H, I, J, K, L>(
    this: This,
    a: (input: This) => A,
    b: (input: A & {}) => B,
    c: (input: B & {}) => C,
    d: (input: C & {}) => D,
    e: (input: D & {}) => E,
    f: (input: E & {}) => F,
    g: (input: F & {}) => G,
    h: (input: G & {}) => H,
    i: (input: H & {}) => I,
    j: (input: I & {}) => J,
    k: (input: J & {}) => K,
    l: (input: K & {}) => L,
  ): L;
}
