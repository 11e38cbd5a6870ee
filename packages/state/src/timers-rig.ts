import { HeapKeyedState } from './heap-keyed-state.js';

/** The keyed state of an operator that declares none: its timers are what tests are about. */
export function timersRig(): HeapKeyedState {
  return new HeapKeyedState({
    operator: 'timers',
    descriptors: {},
    time: { recordMs: () => 0, watermarkMs: () => 0, processingMs: () => 0 },
    tracking: 'untracked',
    groupCount: 1,
    groupOf: () => 0,
  });
}
