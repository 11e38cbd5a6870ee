import type { AroundJob } from '@millrace/testing';

type Storage = Parameters<NonNullable<AroundJob['storage']>>[0];
type StorageFile = Awaited<ReturnType<Storage['create']>>;
type Source = Parameters<NonNullable<AroundJob['source']>>[0];
type Split = Parameters<ReturnType<Source['createReader']>['addSplits']>[0][number];
type Sink = Parameters<NonNullable<AroundJob['sink']>>[0];
type SinkWriter = ReturnType<Sink['createWriter']>;

/** The same methods, but for some. */
function changed<T extends object>(original: T, changes: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name) => {
      if (Object.hasOwn(changes, name)) return changes[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const withWriter =
  (change: (writer: SinkWriter) => Partial<SinkWriter>) =>
  (sink: Sink): Sink =>
    changed(sink, {
      createWriter: (context) => {
        const writer = sink.createWriter(context);
        return writer.prepare === undefined ? writer : changed(writer, change(writer));
      },
    });

/** Publishes what it prepares before the checkpoint is committed. */
export const eagerSink = withWriter((writer) => ({
  async prepare(checkpoint) {
    const prepared = await writer.prepare!(checkpoint);
    await writer.committed!(checkpoint);
    return prepared;
  },
}));

/** Forgets what its predecessor had prepared. */
export const forgetfulSink = withWriter(() => ({ open: async () => undefined }));

/** Says that a file is durable, and does nothing for it. */
export const forgetfulDisk = (storage: Storage): Storage => {
  const careless = (file: StorageFile): StorageFile =>
    changed(file, { sync: async () => undefined });
  return changed(storage, {
    create: async (path) => careless(await storage.create(path)),
    open: async (path) => careless(await storage.open(path)),
  });
};

/** Says that the names in a folder are durable, and does nothing for it. */
export const forgetfulFolders = (storage: Storage): Storage =>
  changed(storage, { syncFolder: async () => undefined });

/** Goes on so many records behind where it should. */
const shiftedSource =
  (records: number) =>
  (source: Source): Source =>
    changed(source, {
      createReader: (context) => {
        const reader = source.createReader(context);
        const shifted = ({ id, position }: Split): Split =>
          typeof position === 'number' && position > 0
            ? { id, position: position + records }
            : { id };
        return changed(reader, { addSplits: (splits) => reader.addSplits(splits.map(shifted)) });
      },
    });

export const hastySource = shiftedSource(1);
export const repeatingSource = shiftedSource(-1);
