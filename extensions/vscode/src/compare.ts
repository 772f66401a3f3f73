// What differed first in a function between two recordings.
import * as vscode from "vscode";
import { Client } from "./client";
import { Replays, command } from "./replays";

interface Compared {
  text: string;
  recordings: [string, string];
  positions?: [number | null, number | null];
}

export function registerCompare(client: Client, replays: Replays): vscode.Disposable[] {
  return [
    command("compare", async ({ uri, function: name }: { uri: string; function: string }) => {
      const found = await client.request<Compared>("retrostep/compare", { uri, function: name });
      const buttons = ["Go There in the Older", "Go There in the Newer"]
        .map((title, index) => ({ title, index: index as 0 | 1 }))
        .filter(({ index }) => typeof found.positions?.[index] === "number");
      const answer = await vscode.window.showInformationMessage(found.text, ...buttons);
      const position = answer && found.positions?.[answer.index];
      if (answer !== undefined && typeof position === "number") {
        await replays.goTo(found.recordings[answer.index], position);
      }
    }),
  ];
}
