import { collectSink, fromArray } from '@millrace/connectors';
import { defineJob, noWatermarks } from '@millrace/core';
import { keyBy, keyedProcess, sinkTo, type, valueState } from '@millrace/operators';

export interface Purchase {
  readonly id: number;
  readonly customer: string;
}

export interface Voucher {
  readonly customer: string;
  /** The purchase that it is for. */
  readonly purchase: number;
}

/** Every third purchase of a customer is worth a voucher. */
export const vouchers = defineJob('vouchers', { every: 3 }, (job, { every }) => {
  job.source('purchases', fromArray<Purchase>([]), noWatermarks()).pipe(
    keyBy((p) => p.customer),
    keyedProcess('count', {
      output: type<Voucher>(),
      state: { n: valueState<number>() },
      process({ customer, id }, ctx) {
        const n = (ctx.state.n.get() ?? 0) + 1;
        ctx.state.n.set(n);
        if (n % every === 0) ctx.emit({ customer, purchase: id });
      },
    }),
    sinkTo('vouchers', collectSink<Voucher>()),
  );
});

/**
 * The same with a mistake that no test without faults finds: purchases are counted in a variable. It
 * is gone with its process, and where only the attempt failed it has counted too far already.
 */
export const forgetfulVouchers = defineJob('forgetful-vouchers', { every: 3 }, (job, { every }) => {
  const counts = new Map<string, number>();
  job.source('purchases', fromArray<Purchase>([]), noWatermarks()).pipe(
    keyBy((p) => p.customer),
    keyedProcess('count', {
      output: type<Voucher>(),
      process({ customer, id }, ctx) {
        const n = (counts.get(customer) ?? 0) + 1;
        counts.set(customer, n);
        if (n % every === 0) ctx.emit({ customer, purchase: id });
      },
    }),
    sinkTo('vouchers', collectSink<Voucher>()),
  );
});
