// Registers the features, one file each. What they show comes from the program, ready to show.
import * as vscode from "vscode";
import { registerAdapter } from "./adapter";
import { registerCalls } from "./calls";
import { Client } from "./client";
import { registerCompare } from "./compare";
import { registerHistory } from "./history";
import { registerHoverInReplay } from "./hoverInReplay";
import { registerMoments } from "./moments";
import { registerRecordings } from "./recordingsView";
import { registerRecordingCommands } from "./recordingCommands";
import { Replays } from "./replays";
import { registerSetup } from "./setup";
import { registerStatus } from "./status";
import { registerStepping } from "./stepping";
import { registerValues } from "./values";

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Retrostep", { log: true });
  const replays = new Replays();
  const client = new Client(log);
  context.subscriptions.push(
    log,
    replays,
    client,
    replays.onDidChange(() => client.refreshHintsSoon()),
    ...registerAdapter(),
    ...registerSetup(log),
    ...registerStepping(replays),
    ...registerMoments(client, replays),
    ...registerStatus(replays),
    ...registerHoverInReplay(),
    ...registerHistory(client, replays),
    ...registerCalls(client, replays),
    ...registerCompare(client, replays),
    ...registerValues(),
    ...registerRecordings(client, replays),
    ...registerRecordingCommands(client, replays),
  );
  client.startWhenTrusted();
}
