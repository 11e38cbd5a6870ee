declare const witnessed: unique symbol;

/** Carries a type where there is no value to infer it from. */
export interface TypeWitness<out T> {
  readonly [witnessed]?: T;
}

/** Says a type that the compiler cannot infer: `output: type<Alert>()`. */
export function type<T>(): TypeWitness<T> {
  return {};
}
