// The recordings of the workspace, as the server lists them.
import * as vscode from "vscode";

export interface ExceptionRow {
  label: string;
  description?: string;
  position: number;
  uri?: string;
  /** From 0. */
  line?: number;
}

export interface RecordingRow {
  path: string;
  id: string;
  label: string;
  description: string;
  tooltip: string;
  result: "passed" | "failed" | "cut" | "running" | "unreadable";
  selected: boolean;
  open: boolean;
  exceptions: ExceptionRow[];
}

const ICONS: { [result in RecordingRow["result"]]: [icon: string, colour?: string] } = {
  passed: ["pass", "testing.iconPassed"],
  failed: ["error", "testing.iconFailed"],
  cut: ["warning", "list.warningForeground"],
  running: ["sync~spin"],
  unreadable: ["circle-slash"],
};

export function icon({ result }: RecordingRow): vscode.ThemeIcon {
  const [name, colour] = ICONS[result];
  return new vscode.ThemeIcon(name, colour === undefined ? undefined : new vscode.ThemeColor(colour));
}
