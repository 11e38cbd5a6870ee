/** What a failing record had done, to be undone backwards. Off until `begin` is first called. */
export class UndoLog {
  private readonly actions: (() => void)[] = [];
  /** Whether anything is to be remembered: ask before making a function that would undo it. */
  isOn = false;

  begin(): void {
    this.isOn = true;
    this.actions.length = 0;
  }

  /** Remembers how to undo what is about to be done. */
  push(undo: () => void): void {
    if (this.isOn) this.actions.push(undo);
  }

  rollback(): void {
    this.isOn = false;
    for (let undo = this.actions.pop(); undo !== undefined; undo = this.actions.pop()) undo();
  }
}
