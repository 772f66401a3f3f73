// Recording, replaying, choosing, renaming and deleting recordings.
import { execFile } from "child_process";
import * as path from "path";
import { promisify } from "util";
import * as vscode from "vscode";
import { recordFile } from "./adapter";
import { Client } from "./client";
import { program, tellMissing } from "./program";
import { RecordingRow, icon } from "./recordings";
import { Row } from "./recordingsView";
import { Replays, command } from "./replays";

export function registerRecordingCommands(client: Client, replays: Replays): vscode.Disposable[] {
  const choose = async (title: string, others: Item[]): Promise<Item | undefined> => {
    const { recordings } = await client.request<{ recordings: RecordingRow[] }>("retrostep/recordings", {});
    const items = recordings.filter(({ result }) => result !== "unreadable").map(item);
    if (items.length === 0) {
      vscode.window.setStatusBarMessage("There are no recordings in this workspace.", 4000);
      return undefined;
    }
    return vscode.window.showQuickPick([...others, ...items], { title, matchOnDescription: true });
  };
  return [
    command("record", async (file?: vscode.Uri) => {
      const uri = file ?? vscode.window.activeTextEditor?.document.uri;
      if (uri === undefined) {
        vscode.window.setStatusBarMessage("Open a Python file to record it.", 4000);
        return;
      }
      await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(uri), recordFile(uri.fsPath));
    }),
    command("replay", async (file?: vscode.Uri) => {
      const recording = file?.fsPath ?? (await choose("Replay a Recording", []))?.recording?.path;
      if (recording !== undefined) {
        await replays.goTo(recording, undefined);
      }
    }),
    command("replayAtException", async ({ recording }: Row) => replays.goTo(recording.path, "exception")),
    command("useForValues", async ({ recording }: Row) => {
      await client.request("retrostep/selectRecording", { recording: recording.path });
      await vscode.commands.executeCommand("retrostep.refreshRecordings");
    }),
    command("selectRecording", async () => {
      const newest = { label: "$(sparkle) The newest", description: "of those in which the file ran" };
      const chosen = await choose("Choose Recording for Values", [newest]);
      if (chosen !== undefined) {
        await client.request("retrostep/selectRecording", { recording: chosen.recording?.path ?? null });
        await vscode.commands.executeCommand("retrostep.refreshRecordings");
      }
    }),
    command("rename", async ({ recording }: Row) => {
      const name = await vscode.window.showInputBox({ title: `Rename ${recording.label}`, value: recording.label });
      if (name !== undefined && name !== recording.label) {
        await run(recording, ["rename", recording.path, name]);
      }
    }),
    command("delete", async ({ recording }: Row) => {
      const question = `Delete "${recording.label}" (${recording.description})?`;
      if ((await vscode.window.showWarningMessage(question, { modal: true }, "Delete")) === "Delete") {
        await run(recording, ["delete", "--yes", recording.path]);
      }
    }),
    command("copyPath", async ({ recording }: Row) => vscode.env.clipboard.writeText(recording.path)),
    command("copyMessage", async (row: Row) => {
      if (row.kind === "exception") {
        await vscode.env.clipboard.writeText(row.exception.label);
      }
    }),
  ];
}

type Item = vscode.QuickPickItem & { recording?: RecordingRow };

function item(recording: RecordingRow): Item {
  const chosen = recording.selected ? ", chosen" : "";
  return {
    label: recording.label,
    description: recording.description + chosen,
    iconPath: icon(recording),
    recording,
  };
}

/** Runs the program on a recording and shows what it says if it fails. */
async function run(recording: RecordingRow, args: string[]): Promise<void> {
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(recording.path));
  const found = program((folder ?? vscode.workspace.workspaceFolders?.[0])?.uri);
  if ("missing" in found) {
    await tellMissing(found.missing);
    return;
  }
  try {
    await promisify(execFile)(found.program, args, { cwd: path.dirname(recording.path) });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim();
    throw new Error(said || String(error));
  }
  await vscode.commands.executeCommand("retrostep.refreshRecordings");
}
