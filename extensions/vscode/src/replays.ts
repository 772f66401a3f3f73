// The debugging sessions of Retrostep that are open, where each stands, and going to a position.
import * as path from "path";
import * as vscode from "vscode";
import { TYPE } from "./adapter";

/** Where a session stands: the body of the adapter's event `retrostep/position`. */
export interface Position {
  state: "recording" | "replaying";
  position: number;
  end: number;
  threadId?: number;
  recording?: string;
  /** What stopped it. */
  reason?: string;
  status: string;
  tooltip: string;
}

/** A position of a recording. */
export interface Moment {
  recording: string;
  position: number;
}

/** Where a replay was before it jumped, and where it was before it went back. */
interface Trail {
  back: number[];
  forward: number[];
  /** Going back or forward is no jump of its own. */
  isFollowed: boolean;
}

export class Replays implements vscode.Disposable {
  private readonly positions = new Map<vscode.DebugSession, Position>();
  private readonly trails = new WeakMap<vscode.DebugSession, Trail>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];

  /** A session was begun, moved, chosen or ended. */
  readonly onDidChange = this.changed.event;

  constructor() {
    this.subscriptions = [
      vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
        if (session.type === TYPE && event === "retrostep/position") {
          this.follow(session, body);
          this.positions.set(session, body);
          this.changed.fire();
        }
      }),
      vscode.debug.onDidTerminateDebugSession((session) => {
        if (this.positions.delete(session)) {
          this.changed.fire();
        }
      }),
      vscode.debug.onDidChangeActiveDebugSession(() => this.changed.fire()),
    ];
  }

  dispose(): void {
    this.changed.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** The session that the editor shows, if it is ours. */
  get active(): vscode.DebugSession | undefined {
    const session = vscode.debug.activeDebugSession;
    return session?.type === TYPE ? session : undefined;
  }

  /** Where the active session stands. */
  get position(): Position | undefined {
    return this.active && this.positions.get(this.active);
  }

  /** The active session if it replays, else a message in the status bar. */
  replay(): { session: vscode.DebugSession; position: Position } | undefined {
    const [session, position] = [this.active, this.position];
    if (session === undefined || position?.state !== "replaying") {
      vscode.window.setStatusBarMessage("No recording is being replayed.", 4000);
      return undefined;
    }
    return { session, position };
  }

  /** Undoes the last jump of the active replay, or does it again. */
  async goAlong(direction: "back" | "forward"): Promise<void> {
    const replay = this.replay();
    const trail = replay && this.trails.get(replay.session);
    const position = trail?.[direction].pop();
    if (replay === undefined || trail === undefined || position === undefined) {
      vscode.window.setStatusBarMessage(direction === "back" ? "No previous moment." : "No next moment.", 4000);
      return;
    }
    trail[direction === "back" ? "forward" : "back"].push(replay.position.position);
    trail.isFollowed = true;
    await replay.session.customRequest("retrostep/seek", { position });
  }

  /** Keeps where a replay was, if it left that place with more than a step. */
  private follow(session: vscode.DebugSession, next: Position): void {
    const last = this.positions.get(session);
    const trail = this.trails.get(session) ?? { back: [], forward: [], isFollowed: false };
    this.trails.set(session, trail);
    const isJump = last?.state === "replaying" && last.position !== next.position && next.reason !== "step";
    if (isJump && !trail.isFollowed) {
      trail.back.push(last.position);
      trail.forward = [];
    }
    trail.isFollowed = false;
  }

  /** The replay of a recording, the active one first. */
  of(recording: string): vscode.DebugSession | undefined {
    const replays = [...this.positions].filter(
      ([, position]) => position.state === "replaying" && position.recording === recording,
    );
    return (replays.find(([session]) => session === this.active) ?? replays[0])?.[0];
  }

  /** Goes to a moment, in a replay that is opened if there is none; without a position the adapter chooses. */
  async goTo(recording: string, position: number | string | undefined): Promise<void> {
    const session = typeof position === "number" ? this.of(recording) : undefined;
    if (session !== undefined) {
      await session.customRequest("retrostep/seek", { position });
      return;
    }
    const folder =
      vscode.workspace.getWorkspaceFolder(vscode.Uri.file(recording)) ?? vscode.workspace.workspaceFolders?.[0];
    await vscode.debug.startDebugging(folder, {
      type: TYPE,
      request: "attach",
      name: `Replay ${path.basename(recording, ".retro")}`,
      recording,
      ...(position === undefined ? {} : { position }),
    });
  }
}

/** The thread that is chosen in the call stack. */
export function chosenThread(position: Position | undefined): number | undefined {
  return vscode.debug.activeStackItem?.threadId ?? position?.threadId;
}

/** The frame that is chosen in the call stack. */
export function chosenFrame(): number | undefined {
  const item = vscode.debug.activeStackItem;
  return item !== undefined && "frameId" in item ? item.frameId : undefined;
}

/** Runs what a user asked for and shows why it failed. */
export async function attempt(what: () => Thenable<unknown> | Promise<unknown>): Promise<void> {
  try {
    await what();
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}

/** A command that shows why it failed. */
export function command<T extends unknown[]>(
  id: string,
  run: (...args: T) => Promise<unknown>,
): vscode.Disposable {
  return vscode.commands.registerCommand(`retrostep.${id}`, (...args) => attempt(() => run(...(args as T))));
}
