import type { ErrorCode } from '@millrace/core';
import type { Random, Storage, StorageFile } from '@millrace/core/spi';
import { SimulatedFileSystem } from './simulated-file-system.js';
import { SimulatedProcess } from './simulated-process.js';

export type DiskOperation = keyof Storage | keyof StorageFile;

/** A moment just before or just after an operation of a process. */
export interface DiskStep {
  readonly when: 'before' | 'after';
  readonly operation: DiskOperation;
  readonly path: string;
  /** Name of the process, as given to {@link SimulatedDisk.process}. */
  readonly process: string;
}

/** Called at each step; the operation waits for the promise. */
export type DiskStepListener = (step: DiskStep) => undefined | Promise<void>;

export interface DiskFault {
  /** `ERR_STORAGE_FULL` for ENOSPC, `ERR_STORAGE_FAILED` for EIO. */
  readonly code: Extract<ErrorCode, `ERR_STORAGE_${string}`>;
  /** By default any. */
  readonly operation?: DiskOperation | undefined;
  /** Text that the path must contain. */
  readonly path?: string | undefined;
  /** `done`: it happens and only the answer is lost. Default `none`. */
  readonly effect?: 'none' | 'done' | undefined;
}

export interface SimulatedDiskOptions {
  /** Bytes that fit on it. Default: no bound. */
  readonly capacityBytes?: number | undefined;
}

/**
 * A disk in memory with its page cache and its durable state apart, whose power can be cut, and
 * which fails when told to.
 *
 * Used as a `Storage` itself it serves one process without a name; {@link process} gives further
 * ones. After a crash, operations that a dead process had under way or begins never answer, as
 * there is nobody left to answer to.
 *
 * @example
 * const disk = new SimulatedDisk();
 * await disk.makeFolder('/a');
 * await disk.create('/a/file');
 * disk.powerCut(random);
 * await disk.list('/a'); // [] or ['file']
 */
export class SimulatedDisk implements Storage {
  private readonly files: SimulatedFileSystem;
  private readonly processes = new Map<string, SimulatedProcess>();
  private readonly listeners = new Set<DiskStepListener>();
  private faults: DiskFault[] = [];
  private rate: { readonly fault: DiskFault; readonly random: Random; readonly share: number }[] =
    [];

  constructor(options: SimulatedDiskOptions = {}) {
    this.files = new SimulatedFileSystem(options.capacityBytes ?? Number.POSITIVE_INFINITY);
  }

  /** The disk as one process sees it; a process that crashed is started again by asking for it. */
  process(name: string): Storage {
    const found = this.processes.get(name);
    if (found !== undefined) return found;
    const started = new SimulatedProcess(name, this.files, {
      step: (step) => this.step(step),
      faultOf: (operation, path) => this.takeFault(operation, path),
    });
    this.processes.set(name, started);
    return started;
  }

  /** Kills a process, or all: what they wrote stays. */
  crashProcess(name?: string): void {
    for (const [other, process] of this.processes) {
      if (name !== undefined && other !== name) continue;
      process.kill();
      this.processes.delete(other);
    }
  }

  /**
   * Kills all processes and forgets what was not synced, which may survive in part: bytes by any
   * run of them, names in any combination.
   */
  powerCut(random: Random): void {
    this.crashProcess();
    this.files.cutPower(random);
  }

  /** Calls a listener before and after each operation. @returns a function that takes it away */
  onStep(listener: DiskStepListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The next operation that fits fails; called repeatedly, so do as many. */
  failNext(fault: DiskFault): void {
    this.faults.push(fault);
  }

  /** A share (0 to 1) of the operations that fit fails from now on. */
  failRate(share: number, fault: DiskFault, random: Random): void {
    this.rate.push({ fault, random, share });
  }

  /** Takes back all faults, also those that have not happened yet. */
  heal(): void {
    this.faults = [];
    this.rate = [];
    this.files.readOnly = false;
    this.files.capacityBytes = Number.POSITIVE_INFINITY;
  }

  setReadOnly(): void {
    this.files.readOnly = true;
  }

  /** Bytes that fit from now on; what is there stays. */
  setCapacity(bytes: number): void {
    this.files.capacityBytes = bytes;
  }

  /** Flips a bit of a file for ever, unseen by anybody. */
  damage(path: string, atByte = 0): void {
    this.files.fileAt(path).flipBit(atByte);
  }

  create(path: string): Promise<StorageFile> {
    return this.process('').create(path);
  }

  open(path: string): Promise<StorageFile> {
    return this.process('').open(path);
  }

  read(path: string, fromByte?: number, length?: number): Promise<Uint8Array> {
    return this.process('').read(path, fromByte, length);
  }

  size(path: string): Promise<number | undefined> {
    return this.process('').size(path);
  }

  list(folder: string): Promise<readonly string[]> {
    return this.process('').list(folder);
  }

  makeFolder(path: string): Promise<void> {
    return this.process('').makeFolder(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.process('').rename(from, to);
  }

  link(from: string, to: string): Promise<'linked' | 'taken'> {
    return this.process('').link(from, to);
  }

  remove(path: string): Promise<void> {
    return this.process('').remove(path);
  }

  syncFolder(path: string): Promise<void> {
    return this.process('').syncFolder(path);
  }

  private async step(step: DiskStep): Promise<void> {
    for (const listener of this.listeners) await listener(step);
  }

  private takeFault(operation: DiskOperation, path: string): DiskFault | undefined {
    const fits = (fault: DiskFault): boolean =>
      (fault.operation ?? operation) === operation && path.includes(fault.path ?? '');
    const next = this.faults.findIndex(fits);
    if (next >= 0) return this.faults.splice(next, 1)[0];
    return this.rate.find(({ fault, random, share }) => fits(fault) && random.next() < share)
      ?.fault;
  }
}
