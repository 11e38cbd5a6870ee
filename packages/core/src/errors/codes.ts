/** What one error code means, for people (`summary`, `remedy`) and for restarts (`retryable`). */
export interface ErrorCodeEntry {
  /** What happened, in one clause without a full stop. */
  readonly summary: string;
  /** What the reader should do next, in one clause without a full stop. */
  readonly remedy: string;
  /** Whether running the same thing again may succeed without anybody changing anything. */
  readonly retryable: boolean;
}

const permanent = (summary: string, remedy: string): ErrorCodeEntry => ({
  summary,
  remedy,
  retryable: false,
});

const transient = (summary: string, remedy: string): ErrorCodeEntry => ({
  summary,
  remedy,
  retryable: true,
});

/**
 * Every error Millrace raises, in one table. A code is part of the public contract: add codes
 * freely, never rename one or change what it means.
 *
 * The idea of one table is taken from tRPC's `rpc/codes.ts`.
 */
export const errorCodes = {
  // Building and validating the graph
  ERR_DUPLICATE_ID: permanent(
    'two operators have the same id',
    'give each stateful operator, source and sink its own id',
  ),
  ERR_MISSING_ID: permanent(
    'an operator that needs an id has none',
    'pass an id as the first argument; state is bound to it across restarts',
  ),
  ERR_INVALID_ID: permanent(
    'an id is not usable',
    'use at most 100 letters, digits, "-", "_" or "." that begin and end with a letter or digit',
  ),
  ERR_CYCLE: permanent(
    'the graph has a cycle',
    'remove the edge that leads back; a stream may only flow towards its sinks',
  ),
  ERR_UNKEYED_STATE: permanent(
    'keyed state or timers are used on a stream without a key',
    'put keyBy(...) before this operator',
  ),
  ERR_UNREACHABLE_SINK: permanent(
    'a sink receives no records because no source reaches it',
    'connect it to a stream that starts at a source of this job, or remove it',
  ),
  ERR_NO_SOURCE: permanent('the job has no source', 'add one with job.source(...)'),
  ERR_NO_SINK: permanent('the job has no sink', 'end at least one stream with sinkTo(...)'),
  ERR_KINDS_NOT_ACCEPTED: permanent(
    'an operator does not accept the kinds of records its input carries',
    'convert the stream first, or use an operator that accepts these kinds',
  ),
  ERR_DEAD_LETTER_UNCONSUMED: permanent(
    'an operator sends failed records to a dead-letter output that nothing reads',
    'pipe the dead-letter output to a sink, or choose another error policy',
  ),
  ERR_NONDETERMINISTIC_BUILD: permanent(
    'building the job twice gave two different graphs',
    'build from the parameters alone; move random or changing values into params',
  ),
  ERR_FORBIDDEN_IN_BUILD: permanent(
    'the build function read the clock, randomness or the environment',
    'pass the value in params, or read it in setup() of an operator',
  ),
  ERR_INVALID_PARAMS: permanent(
    'the parameters of the job are not valid',
    'pass plain JSON that has the fields and types of the default parameters',
  ),
  ERR_INVALID_OPTION: permanent('an option has an unusable value', 'correct the named option'),
  ERR_JOB_FILE: permanent(
    'the job file could not be loaded or defines no job',
    'check the path and that the file has "export default defineJob(...)"',
  ),
  // Time
  ERR_INVALID_DURATION: permanent(
    'a duration is not usable',
    "write a whole number of milliseconds or a text such as '500ms', '4s', '10m', '1h', '7d'",
  ),
  ERR_INVALID_TIMESTAMP: permanent(
    'a record has a timestamp that is not a safe integer',
    'return epoch milliseconds as a whole number from the timestamp function',
  ),
  ERR_FAR_FUTURE_TIMESTAMP: permanent(
    'a record has a timestamp further in the future than allowed',
    'check the unit (milliseconds) and the clock of the producer, or raise the allowed distance',
  ),
  ERR_TIMER_INVALID: permanent(
    'a timer was set for an unusable time',
    'set timers for whole epoch milliseconds',
  ),
  ERR_ENDLESS_TIMERS: permanent(
    'timers set each other for ever at the end of input, where each fires at once',
    'set no timer again where the watermark is Infinity, or where the key has nothing left to do',
  ),
  // User functions and records
  ERR_FUNCTION_THREW: transient(
    'a function of the job threw',
    'see the cause below; correct the function or choose an error policy for this operator',
  ),
  ERR_FUNCTION_RETURNED_PROMISE: permanent(
    'a function that must be synchronous returned a promise',
    'let it answer at once: look up what it needs ahead of the job, or join a stream that has it',
  ),
  ERR_OUTSIDE_CALL: permanent(
    'a context, state or timers were used outside a call of the function they were given to',
    'use them before the function returns: what comes later belongs to no record and no key',
  ),
  ERR_ERROR_CEILING: permanent(
    'too many records failed',
    'look at the dead-letter output or the sampled errors; raise the ceiling if this is expected',
  ),
  ERR_OUTPUT_LIMIT: permanent(
    'one record produced more output records than allowed at once',
    'return an iterator, so that output can be taken in pieces',
  ),
  ERR_INVALID_RECORD: permanent(
    'an input record could not be read',
    'correct the producer, or choose the dead-letter policy for this source',
  ),
  ERR_SCHEMA_VIOLATION: permanent(
    'a record does not match its schema',
    'correct the producer or the schema, or choose the dead-letter policy',
  ),
  ERR_UNSERIALISABLE_VALUE: permanent(
    'a record holds a value that cannot travel between operators',
    'use plain objects, arrays, Map, Set, Date, bigint, typed arrays and primitives only',
  ),
  ERR_RECORD_MUTATED: permanent(
    'a record was changed after it was emitted',
    'treat records as immutable; emit a changed copy, such as { ...record, field: value }',
  ),
  ERR_INVALID_KEY: permanent(
    'a key is of a type that cannot be a key',
    'return a string, number, bigint, boolean, null, Date or an array of these from keyBy',
  ),
  // Connectors
  ERR_SOURCE_FAILED: transient('a source failed', 'see the cause; check the system it reads from'),
  ERR_SOURCE_OVERFLOW: permanent(
    'a source that cannot wait produced more records than its buffer holds',
    'raise the buffer limit, or use a source that can be slowed down or read again',
  ),
  ERR_SOURCE_CHANGED: permanent(
    'a source is not what it was when the checkpoint was taken',
    'put back what was truncated or replaced, or start the job without the checkpoint',
  ),
  ERR_SINK_CHANGED: permanent(
    'committed output is not there any more, or not as it was written',
    'put back the output, or start the job without the checkpoint',
  ),
  ERR_SINK_FENCED: permanent(
    'another run of the job, or another history of it, owns the output of a sink',
    'leave one process for each job; this one has published nothing that the other one has',
  ),
  ERR_SINK_RECORD: permanent(
    'a record cannot be written as its sink would have to',
    'change or filter the record ahead of the sink, or the limit that is named',
  ),
  ERR_DUPLICATE_WINDOW: permanent(
    'a stream does not remember long enough what was published',
    'give it a longer duplicate_window, or choose another guarantee',
  ),
  ERR_SINK_FAILED: transient('a sink failed', 'see the cause; check the system it writes to'),
  ERR_SECRET_MISSING: permanent(
    'a secret that a connector refers to is not there',
    'set the environment variable or put the file where the job runs',
  ),
  // NATS
  ERR_NATS_UNREACHABLE: transient(
    'no NATS server could be reached',
    'check the addresses, and that a server runs there',
  ),
  ERR_NATS_TLS: permanent(
    'an encrypted connection to a NATS server could not be made',
    'name the authority of its certificate in tls.caFile, and connect by a name it is made out to',
  ),
  ERR_NATS_AUTHENTICATION: permanent(
    'a NATS server refused who connects',
    'correct auth, or the secret it refers to',
  ),
  ERR_NATS_PERMISSION: permanent(
    'a NATS server refused a subject',
    'allow it to this user in the configuration of the server or account',
  ),
  ERR_NATS_NO_JETSTREAM: transient(
    'JetStream does not answer',
    'turn JetStream on for the server and the account; a cluster needs a leader',
  ),
  ERR_NATS_STREAM_UNFIT: permanent(
    'a stream or bucket is missing, or is not set up for what is needed',
    'create or change it as said',
  ),
  ERR_NATS_SERVER_TOO_OLD: permanent(
    'the NATS server cannot do what is needed',
    'run the version named, or choose a guarantee that needs less',
  ),
  // Links between slots
  ERR_SLOT_LOST: transient(
    'the thread of a slot has ended',
    'look for what ended it: memory (give it more, or the job more slots), or a function that ends the process',
  ),
  ERR_LINK_STALLED: transient(
    'a link to another slot of the job made no progress',
    'check that the worker at its other end runs, and the network or server between them',
  ),
  ERR_LINK_BROKEN: transient(
    'a link to another slot of the job cannot go on',
    'see the detail; look for a worker that was started twice or runs another version',
  ),
  // State
  ERR_STATE_UNDECLARED: permanent(
    'an operator used a state that it did not declare',
    'declare the state in the specification of the operator',
  ),
  ERR_STATE_READ_ONLY: permanent(
    'a function changed a state that it may only read',
    'change broadcast state in processBroadcast, which every subtask runs for every update',
  ),
  ERR_STATE_LIMIT: permanent(
    'the state of an operator reached its limit',
    'set a time to live, raise the limit, or use the level backend',
  ),
  ERR_STATE_INCOMPATIBLE: permanent(
    'stored state does not fit the operators of the job',
    'see the difference; add or mend migrate, or allow for each operator what is to be dropped',
  ),
  ERR_LOSS_NOT_ALLOWED: permanent(
    'a source of a job with checkpoints cannot be read again',
    'say allowLoss at the source if losing its records after a failure is acceptable',
  ),
  // Checkpoints
  ERR_CHECKPOINT_MISSING: permanent(
    'there is no checkpoint or savepoint to restore from',
    'check the folder; list what is there with "millrace checkpoints list"',
  ),
  ERR_CHECKPOINT_CORRUPT: permanent(
    'a checkpoint is damaged',
    '"millrace checkpoints verify" says which are whole; "millrace run --from DIR --at NAME" takes one',
  ),
  ERR_CHECKPOINT_FAILED: transient(
    'a checkpoint or savepoint was not taken',
    'those before it stay; look at the tasks that were late, or ask again once the job runs',
  ),
  ERR_CHECKPOINT_SUPERSEDED: permanent(
    'another process has taken over this job',
    'run one process for each checkpoint folder; this one has stopped and lost nothing',
  ),
  ERR_METADATA_ROLLBACK: permanent(
    'the record of commits is older than what was committed',
    'find out who put back the folder; restore on purpose with --from and --accept-replay',
  ),
  ERR_REPLAY_NOT_ACCEPTED: permanent(
    'restoring from an older point publishes output again',
    'pass --accept-replay if that is what you want',
  ),
  ERR_POISON_RECORD: permanent(
    'the same record failed every attempt',
    'mend the function, or set onError to skip or deadLetter at the operator',
  ),
  ERR_RESTARTS_EXHAUSTED: permanent(
    'the job failed more often than its restart strategy allows',
    'see the last cause; the job can be started again from its last checkpoint',
  ),
  // Storage
  ERR_STORAGE_FULL: transient('there is no space left', 'free space; work goes on by itself then'),
  ERR_STORAGE_READ_ONLY: transient(
    'a file or folder cannot be written',
    'check its owner and permissions, and how the file system is mounted',
  ),
  ERR_STORAGE_MISSING: permanent('a file is missing', 'check the path; restore the file'),
  ERR_STORAGE_FAILED: transient(
    'a file could not be read or written',
    'see the cause; check the disk',
  ),
  // The engine
  ERR_CODEC_CORRUPT: permanent(
    'stored or received bytes cannot be decoded',
    'restore from an earlier checkpoint; check the disk and the versions on both sides',
  ),
  ERR_CANCELLED: permanent(
    'the job was cancelled',
    'nothing, if this was intended; otherwise start it again',
  ),
  ERR_INVARIANT: transient(
    'an internal rule of Millrace was broken',
    'report this with the message and the stack; the job restarts from its last checkpoint',
  ),
  ERR_TEST_KIT: permanent('the test kit was used in a wrong way', 'correct the test as described'),
} as const satisfies Readonly<Record<`ERR_${string}`, ErrorCodeEntry>>;

/** The code of a {@link errorCodes} entry, for example `'ERR_INVALID_KEY'`. */
export type ErrorCode = keyof typeof errorCodes;
