import { outsideCall } from '@millrace/core/internal';
import type { OperatorContext, SetupContext } from '@millrace/core/spi';

/** What there is at a record or timer only. */
const ofCalls = [
  'key',
  'timestamp',
  'watermark',
  'processingTime',
  'resource',
  'state',
  'broadcast',
  'timers',
  'side',
  'emit',
];

/** The context of `setup`: what is not there yet says so, also where types are cast away. */
export function setupContextOf(context: OperatorContext): SetupContext {
  const { operatorId, subtask, parallelism, metrics, log } = context;
  const own: SetupContext = { operatorId, subtask, parallelism, metrics, log };
  for (const name of ofCalls) {
    const get = (): never => {
      throw outsideCall(operatorId, `${name} of the context`);
    };
    Object.defineProperty(own, name, { get });
  }
  return own;
}
