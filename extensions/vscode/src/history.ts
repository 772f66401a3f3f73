// The history of a value in a list: the writes, the newest first, with a look at each in the editor.
import * as vscode from "vscode";
import { Client } from "./client";
import { Replays, chosenFrame, command } from "./replays";

const MOST = 1000;

/** What a link of the server is about. */
interface About {
  recording: string;
  position: number;
  uri: string;
  line: number;
  expression: string;
  frame?: number;
}

/** What the Variables view gives to its commands. */
interface VariableRow {
  variable: { name: string; evaluateName?: string };
}

interface Write {
  position: number;
  text: string;
  function: string;
  uri?: string;
  /** From 0. */
  line?: number;
}

interface History {
  name: string;
  /** The newest first. */
  writes: Write[];
  total: number;
  more?: boolean;
  recording: string;
  /** Where the replay stands, if it is one. */
  present?: number;
}

export function registerHistory(client: Client, replays: Replays): vscode.Disposable[] {
  const historyOf = (from: About | VariableRow | undefined): Promise<History | undefined> =>
    findHistory(client, replays, from);
  return [
    command("history", async (from?: About | VariableRow) => {
      const history = await historyOf(from);
      const position = history && (await choose(history));
      if (history !== undefined && position !== undefined) {
        await replays.goTo(history.recording, position);
      }
    }),
    command("lastChange", async (from?: About | VariableRow) => {
      const history = await historyOf(from);
      if (history === undefined) {
        return;
      }
      const present = history.present ?? (from !== undefined && "position" in from ? from.position : undefined);
      const before = history.writes.find(({ position }) => present === undefined || position < present);
      if (before === undefined) {
        vscode.window.setStatusBarMessage(`No earlier change of ${history.name}.`, 4000);
        return;
      }
      await replays.goTo(history.recording, before.position);
    }),
    command("nextChange", async (from?: About | VariableRow) => {
      const history = await historyOf(from);
      const present = history?.present;
      if (history === undefined || present === undefined) {
        return;
      }
      const after = history.writes.filter(({ position }) => position > present).at(-1);
      if (after === undefined) {
        vscode.window.setStatusBarMessage(`No later change of ${history.name}.`, 4000);
        return;
      }
      await replays.goTo(history.recording, after.position);
    }),
  ];
}

async function findHistory(
  client: Client,
  replays: Replays,
  from: About | VariableRow | undefined,
): Promise<History | undefined> {
  const [session, here] = [replays.active, replays.position];
  const isReplay = here?.state === "replaying" && here.recording !== undefined;
  if (from !== undefined && "variable" in from) {
    const expression = from.variable.evaluateName ?? from.variable.name;
    return isReplay && session !== undefined
      ? inReplay(session, here.recording ?? "", here.position, expression, chosenFrame())
      : undefined;
  }
  if (from !== undefined && "expression" in from) {
    if (isReplay && session !== undefined && here.recording === from.recording && from.frame !== undefined) {
      // The adapter counts frames from 1.
      return inReplay(session, from.recording, here.position, from.expression, from.frame + 1);
    }
    return inDocument(client, replays, from.uri, new vscode.Position(from.line, 0), from.expression);
  }
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    return undefined;
  }
  const selected = editor.selection.isSingleLine ? editor.document.getText(editor.selection) : "";
  const expression = selected === "" ? undefined : selected;
  return inDocument(client, replays, editor.document.uri.toString(), editor.selection.start, expression);
}

/** Asks the replay, which knows frames and what is not a name in the source. */
async function inReplay(
  session: vscode.DebugSession,
  recording: string,
  present: number,
  expression: string,
  frameId: number | undefined,
): Promise<History> {
  interface AdapterWrite {
    position: number;
    text: string;
    function: string;
    source?: { path?: string };
    line?: number;
  }
  const found = await session.customRequest("retrostep/history", { expression, frameId, newest: true, count: MOST });
  const writes = (found.writes as AdapterWrite[]).map(({ source, line, ...write }) => ({
    ...write,
    uri: source?.path === undefined ? undefined : vscode.Uri.file(source.path).toString(),
    line: line === undefined ? undefined : line - 1,
  }));
  return { ...found, writes: writes.reverse(), recording, present };
}

async function inDocument(
  client: Client,
  replays: Replays,
  uri: string,
  { line, character }: vscode.Position,
  expression: string | undefined,
): Promise<History> {
  const found = await client.request<History>("retrostep/history", {
    textDocument: { uri },
    position: { line, character },
    ...(expression === undefined ? {} : { expression }),
    count: MOST,
  });
  const here = replays.position;
  const isShown = here?.state === "replaying" && here.recording === found.recording;
  return { ...found, present: isShown ? here.position : undefined };
}

type Item = vscode.QuickPickItem & { write?: Write };

/** Shows the writes; moving the selection shows the line of each, and Escape what was shown before. */
async function choose(history: History): Promise<number | undefined> {
  const { present, writes } = history;
  const item = (write: Write): Item => ({
    label: write.text,
    description: write.line === undefined ? write.function : `${write.function}, line ${write.line + 1}`,
    write,
  });
  const later = writes.filter(({ position }) => present !== undefined && position > present).map(item);
  const earlier = writes.filter(({ position }) => present === undefined || position <= present).map(item);
  const separator = (label: string): Item => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const pick = vscode.window.createQuickPick<Item>();
  const count = `${history.total.toLocaleString("en")}${history.more ? " or more" : ""}`;
  pick.title = `History of ${history.name} · ${count} ${history.total === 1 ? "change" : "changes"}`;
  pick.placeholder = "Filter by value or function; ↑ ↓ previews, Enter goes there";
  pick.matchOnDescription = true;
  pick.items =
    later.length === 0
      ? earlier
      : [separator("After the present"), ...later, separator("Up to the present"), ...earlier];
  pick.activeItems = earlier.slice(0, 1);
  const preview = new Preview();
  try {
    return await new Promise<number | undefined>((resolve) => {
      pick.onDidChangeActive(([active]) => void preview.show(active?.write));
      pick.onDidAccept(() => {
        resolve(pick.activeItems[0]?.write?.position);
        pick.hide();
      });
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    }).then(async (position) => {
      await preview.end(position === undefined);
      return position;
    });
  } finally {
    pick.dispose();
  }
}

/** A line that is looked at without going there. */
class Preview {
  private readonly decoration = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
  });
  private readonly editor = vscode.window.activeTextEditor;
  private readonly visible = this.editor?.visibleRanges[0];
  private shown: vscode.TextEditor | undefined;
  private latest = 0;

  async show(write: Write | undefined): Promise<void> {
    const number = ++this.latest;
    if (write?.uri === undefined || write.line === undefined) {
      return;
    }
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(write.uri));
    if (number !== this.latest || write.line >= document.lineCount) {
      return;
    }
    const editor = await vscode.window.showTextDocument(document, { preserveFocus: true, preview: true });
    this.shown?.setDecorations(this.decoration, []);
    if (number !== this.latest) {
      return;
    }
    this.shown = editor;
    const { range } = document.lineAt(write.line);
    editor.setDecorations(this.decoration, [range]);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  async end(restore: boolean): Promise<void> {
    this.latest += 1;
    this.decoration.dispose();
    if (restore && this.editor !== undefined && this.visible !== undefined) {
      const { document, viewColumn } = this.editor;
      const editor = await vscode.window.showTextDocument(document, { viewColumn });
      editor.revealRange(this.visible, vscode.TextEditorRevealType.AtTop);
    }
  }
}
