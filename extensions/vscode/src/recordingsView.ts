// The side panel's tree of recordings.
import * as vscode from "vscode";
import { Client } from "./client";
import { ExceptionRow, RecordingRow, icon } from "./recordings";
import { Replays, command } from "./replays";

const DOUBLE_CLICK_MS = 500;
const REFRESH_DELAY_MS = 200;

export type Row =
  | { kind: "recording"; recording: RecordingRow }
  | { kind: "exception"; recording: RecordingRow; exception: ExceptionRow };

export function registerRecordings(client: Client, replays: Replays): vscode.Disposable[] {
  const tree = new Recordings(client);
  const view = vscode.window.createTreeView("retrostep.recordings", { treeDataProvider: tree });
  const watchers = (vscode.workspace.workspaceFolders ?? []).map((folder) =>
    vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, ".retrostep/recordings/**")),
  );
  let opened = "";
  let clicked: { row: Row; at: number } | undefined;
  const go = async (row: Row | undefined = view.selection[0]): Promise<void> => {
    if (row !== undefined) {
      await replays.goTo(row.recording.path, position(row));
    }
  };
  return [
    tree,
    view,
    ...watchers,
    ...watchers.flatMap((watcher) => [
      watcher.onDidCreate(() => tree.refreshSoon()),
      watcher.onDidChange(() => tree.refreshSoon()),
      watcher.onDidDelete(() => tree.refreshSoon()),
    ]),
    client.onDidStart(() => tree.refreshSoon()),
    view.onDidChangeVisibility(({ visible }) => visible && tree.refreshSoon()),
    replays.onDidChange(() => {
      const { state, recording } = replays.position ?? {};
      if (opened !== `${state} ${recording}`) {
        opened = `${state} ${recording}`;
        tree.refreshSoon();
      }
    }),
    command("refreshRecordings", async () => tree.refreshSoon()),
    // The editor tells of a click and not of a double click. Enter has a key of its own.
    command("rowClicked", async (row: Row) => {
      const isSecond = clicked?.row === row && Date.now() - clicked.at < DOUBLE_CLICK_MS;
      clicked = isSecond ? undefined : { row, at: Date.now() };
      if (isSecond) {
        await go(row);
      }
    }),
    command("replayRow", go),
    command("goThere", go),
  ];
}

/** Where a row's replay begins; the adapter chooses for a recording. */
function position(row: Row): number | string | undefined {
  if (row.kind === "recording") {
    return undefined;
  }
  // A replay that begins at the last exception shows it as one that was raised.
  const last = Math.max(...row.recording.exceptions.map(({ position }) => position));
  return row.exception.position === last && !row.recording.open ? "exception" : row.exception.position;
}

class Recordings implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private timer: NodeJS.Timeout | undefined;
  private rows: Row[] = [];

  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly client: Client) {}

  dispose(): void {
    clearTimeout(this.timer);
    this.changed.dispose();
  }

  /** Many changes in a row are one. */
  refreshSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), REFRESH_DELAY_MS);
  }

  /** Asks the server, also while the view is hidden: menus depend on whether there are recordings. */
  private async refresh(): Promise<void> {
    if (!this.client.isRunning) {
      return;
    }
    const { recordings } = await this.client.request<{ recordings: RecordingRow[] }>("retrostep/recordings", {});
    void vscode.commands.executeCommand("setContext", "retrostep.hasRecordings", recordings.length > 0);
    this.rows = recordings.map((recording) => ({ kind: "recording", recording }));
    this.changed.fire();
  }

  getChildren(parent?: Row): Row[] {
    if (parent?.kind === "recording") {
      const { recording } = parent;
      return recording.exceptions.map((exception) => ({ kind: "exception", recording, exception }));
    }
    return parent === undefined ? this.rows : [];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return row.kind === "recording" ? recordingItem(row) : exceptionItem(row);
  }
}

function recordingItem(row: Row): vscode.TreeItem {
  const { recording } = row;
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(recording.label, recording.exceptions.length === 0 ? None : Collapsed);
  item.id = recording.path;
  item.description = recording.description;
  item.tooltip = new vscode.MarkdownString(recording.tooltip);
  item.iconPath = icon(recording);
  const failed = recording.exceptions.length === 0 ? "" : ".exception";
  item.contextValue = `recording.${recording.result}${failed}`;
  item.command = clicks(row);
  item.accessibilityInformation = { label: `Recording ${recording.label}, ${recording.description}` };
  return item;
}

function exceptionItem(row: Row & { kind: "exception" }): vscode.TreeItem {
  const { recording, exception } = row;
  const item = new vscode.TreeItem(exception.label);
  item.id = `${recording.path}:${exception.position}`;
  item.description = exception.description;
  item.tooltip = exception.label;
  item.iconPath = new vscode.ThemeIcon("error", new vscode.ThemeColor("testing.iconFailed"));
  item.contextValue = "exception";
  item.command = clicks(row);
  item.accessibilityInformation = { label: `Exception ${exception.label}, ${exception.description ?? ""}` };
  return item;
}

function clicks(row: Row): vscode.Command {
  return { command: "retrostep.rowClicked", title: "Select", arguments: [row] };
}
