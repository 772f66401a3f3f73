// Starts `retrostep lsp`: hints, hovers, lenses, diagnostics and the rest come from there.
import * as vscode from "vscode";
import { CodeLensRequest, InlayHintRequest, LanguageClient, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import { offered } from "./offered";
import { program, tellMissing } from "./program";

/** Which documents have recorded values. */
export const DOCUMENTS: { scheme: string; language: string }[] = [{ scheme: "file", language: "python" }];

const CURSOR_DELAY_MS = 100;
const LENSES_DELAY_MS = 500;
const HINTS_DELAY_MS = 300;

export class Client implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private hintsTimer: NodeJS.Timeout | undefined;
  private starting = Promise.resolve();
  private wasTold = false;
  private readonly started = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];

  /** The server runs and can be asked. */
  readonly onDidStart = this.started.event;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.subscriptions = [this.followCursor(), this.askForLenses(), this.started];
  }

  dispose(): void {
    clearTimeout(this.hintsTimer);
    vscode.Disposable.from(...this.subscriptions).dispose();
    void this.client?.dispose();
  }

  /** Whether the server can be asked. */
  get isRunning(): boolean {
    return this.client?.state === State.Running;
  }

  /** In a workspace that is not trusted nothing is started. */
  startWhenTrusted(): void {
    if (vscode.workspace.isTrusted) {
      this.restart();
    } else {
      this.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(() => this.restart()));
    }
    this.subscriptions.push(
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("retrostep.path") && vscode.workspace.isTrusted) {
          this.restart();
        }
      }),
    );
  }

  /**
   * Has the editor ask for hints again when a replay rests: where steps follow one another quickly, it may keep those of
   * the step before.
   */
  refreshHintsSoon(): void {
    clearTimeout(this.hintsTimer);
    this.hintsTimer = setTimeout(() => {
      const feature = this.isRunning ? this.client?.getFeature(InlayHintRequest.method) : undefined;
      for (const { document } of vscode.window.visibleTextEditors) {
        feature?.getProvider(document)?.onDidChangeInlayHints.fire();
      }
    }, HINTS_DELAY_MS);
  }

  /** Asks the server. */
  async request<T>(method: string, params: unknown): Promise<T> {
    if (this.client === undefined) {
      throw new Error("Retrostep's language server is not running.");
    }
    return this.client.sendRequest<T>(method, params);
  }

  /** One start at a time; the language client itself shows why one failed. */
  private restart(): void {
    this.starting = this.starting.then(() => this.start()).catch((error) => this.log.error(error));
  }

  private async start(): Promise<void> {
    await this.client?.dispose();
    this.client = undefined;
    const found = program(vscode.workspace.workspaceFolders?.[0]?.uri);
    void vscode.commands.executeCommand("setContext", "retrostep.programMissing", "missing" in found);
    if ("missing" in found) {
      if (!this.wasTold) {
        this.wasTold = true;
        void tellMissing(found.missing);
      }
      return;
    }
    const client = new LanguageClient(
      "retrostep",
      "Retrostep",
      { command: found.program, args: ["lsp"], options: { cwd: found.cwd } },
      {
        documentSelector: DOCUMENTS,
        initializationOptions: { ...vscode.workspace.getConfiguration("retrostep"), commands: true },
        synchronize: { configurationSection: "retrostep" },
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        middleware: offered,
      },
    );
    this.client = client;
    await client.start();
    this.started.fire();
  }

  /** Tells the server where the user is, whenever that is another line. */
  private followCursor(): vscode.Disposable {
    let last = "";
    let timer: NodeJS.Timeout | undefined;
    const tell = (): void => {
      const editor = vscode.window.activeTextEditor;
      if (editor === undefined || vscode.languages.match(DOCUMENTS, editor.document) === 0) {
        return;
      }
      const uri = editor.document.uri.toString();
      const { line, character } = editor.selection.active;
      const place = `${uri}:${line}`;
      if (place !== last && this.isRunning) {
        last = place;
        const position = { line, character };
        void this.client?.sendNotification("retrostep/cursor", { textDocument: { uri }, position });
      }
    };
    const later = (): void => {
      clearTimeout(timer);
      timer = setTimeout(tell, CURSOR_DELAY_MS);
    };
    return vscode.Disposable.from(
      vscode.window.onDidChangeTextEditorSelection(later),
      vscode.window.onDidChangeActiveTextEditor(later),
      this.started.event(() => {
        last = "";
        later();
      }),
      { dispose: () => clearTimeout(timer) },
    );
  }

  /**
   * Has the editor ask for lenses again when a document comes into sight: it gives up asking when the focus leaves
   * the text meanwhile, as it does where a replay begins.
   */
  private askForLenses(): vscode.Disposable {
    let timer: NodeJS.Timeout | undefined;
    const ask = (): void => {
      const feature = this.isRunning ? this.client?.getFeature(CodeLensRequest.method) : undefined;
      for (const { document } of vscode.window.visibleTextEditors) {
        feature?.getProvider(document)?.onDidChangeCodeLensEmitter.fire();
      }
    };
    return vscode.Disposable.from(
      vscode.window.onDidChangeVisibleTextEditors(() => {
        clearTimeout(timer);
        timer = setTimeout(ask, LENSES_DELAY_MS);
      }),
      { dispose: () => clearTimeout(timer) },
    );
  }
}
