import {
  type InlineOperator,
  type Operator,
  type OperatorDefinition,
  RecordFailure,
} from '@millrace/core/spi';

/** Called with a record ahead of work on it; throws at most once at each. */
export type MayThrow = (record: unknown) => void;

/**
 * The operator with functions that may throw ahead of a record's work. Those that are fused into
 * generated code stay as they are: the functions around them throw.
 */
export function throwing(definition: OperatorDefinition, mayThrow: MayThrow): OperatorDefinition {
  if (definition.form !== 'factory') {
    return { ...definition, fn: throwingFunction(definition.fn, mayThrow) };
  }
  if (definition.fuses === true) return definition;
  return {
    ...definition,
    create: (context) => throwingOperator(definition.create(context), context.operatorId, mayThrow),
  };
}

function throwingFunction(fn: InlineOperator['fn'], mayThrow: MayThrow): InlineOperator['fn'] {
  const wrapped: InlineOperator['fn'] = (value, context) => {
    mayThrow(value);
    return fn(value, context);
  };
  // The engine passes a context to functions that declare one.
  return Object.defineProperty(wrapped, 'length', { value: fn.length });
}

function throwingOperator(operator: Operator, id: string, mayThrow: MayThrow): Operator {
  const processBatch = operator.processBatch.bind(operator);
  operator.processBatch = (batch, from, out, input) => {
    try {
      mayThrow(batch.values[from]);
    } catch (error) {
      throw new RecordFailure(from, id, error);
    }
    return processBatch(batch, from, out, input);
  };
  return operator;
}
