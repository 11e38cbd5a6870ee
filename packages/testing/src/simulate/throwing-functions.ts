import {
  type InlineOperator,
  type Operator,
  type OperatorDefinition,
  RecordFailure,
} from '@millrace/core/spi';

/**
 * The operator with functions that may throw ahead of a record's work. Those that are fused into
 * generated code stay as they are: the functions around them throw.
 */
export function throwing(definition: OperatorDefinition, mayThrow: () => void): OperatorDefinition {
  if (definition.form !== 'factory') {
    return { ...definition, fn: throwingFunction(definition.fn, mayThrow) };
  }
  if (definition.fuses === true) return definition;
  return {
    ...definition,
    create: (context) => throwingOperator(definition.create(context), context.operatorId, mayThrow),
  };
}

function throwingFunction(fn: InlineOperator['fn'], mayThrow: () => void): InlineOperator['fn'] {
  const wrapped: InlineOperator['fn'] = (value, context) => {
    mayThrow();
    return fn(value, context);
  };
  // The engine passes a context to functions that declare one.
  return Object.defineProperty(wrapped, 'length', { value: fn.length });
}

function throwingOperator(operator: Operator, id: string, mayThrow: () => void): Operator {
  const processBatch = operator.processBatch.bind(operator);
  operator.processBatch = (batch, from, out, input) => {
    try {
      mayThrow();
    } catch (error) {
      throw new RecordFailure(from, id, error);
    }
    return processBatch(batch, from, out, input);
  };
  return operator;
}
