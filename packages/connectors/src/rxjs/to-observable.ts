import type { Sink } from '@millrace/core/spi';
import { type Observable, ReplaySubject, Subject } from 'rxjs';
import { assertWhole } from '../option-checks.js';

/** What late subscribers get. */
export interface ToObservableOptions {
  /** Latest records a new subscriber gets first. Default 0: only what comes from then on. */
  readonly bufferMax?: number | undefined;
}

/** A sink and the Observable of what arrives in it. */
export interface ObservableSink<T> {
  readonly sink: Sink<T>;
  readonly observable: Observable<T>;
}

/**
 * A sink whose records come out of a hot Observable; at most once, since what nobody is
 * subscribed to is gone.
 *
 * Records are delivered synchronously, so a subscriber that takes long holds the job up, but one
 * that waits does not: there is no other backpressure. The Observable completes when the input of
 * all subtasks has ended. It does not tell that a job failed, which may restart: ask the job.
 * Throws ERR_INVALID_OPTION when `bufferMax` is no whole number.
 *
 * @example
 * const alerts = toObservable<Alert>();
 * alerts.observable.pipe(throttleTime(1_000)).subscribe(show);
 * // in the job: stream.pipe(sinkTo('alerts', alerts.sink))
 */
export function toObservable<T>(options: ToObservableOptions = {}): ObservableSink<T> {
  const { bufferMax = 0 } = options;
  assertWhole('bufferMax', bufferMax, 0);
  const subject = bufferMax === 0 ? new Subject<T>() : new ReplaySubject<T>(bufferMax);
  let finished = new Set<number>();
  const sink: Sink<T> = {
    type: 'observable',
    guarantee: 'at-most-once',
    settings: { bufferMax },
    createWriter: ({ subtask, parallelism }) => ({
      async open() {
        // A restarted subtask has not finished, whatever an earlier attempt did.
        finished.delete(subtask);
      },
      write({ values, count }) {
        for (let i = 0; i < count; i += 1) subject.next(values[i] as T);
        return undefined;
      },
      async finish() {
        finished.add(subtask);
        if (finished.size < parallelism) return;
        finished = new Set();
        subject.complete();
      },
    }),
  };
  return { sink, observable: subject.asObservable() };
}
