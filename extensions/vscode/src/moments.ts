// Going to a moment of a recording: from links, and by what the user types.
import * as vscode from "vscode";
import { Client } from "./client";
import { RecordingRow } from "./recordings";
import { Moment, Position, Replays, command } from "./replays";

const WAYS = "An event's number, +200, -200, start, end or exception";

export function registerMoments(client: Client, replays: Replays): vscode.Disposable[] {
  const seek = async (where: (position: Position) => Promise<number | undefined>): Promise<void> => {
    const replay = replays.replay();
    const position = replay && (await where(replay.position));
    if (replay !== undefined && position !== undefined) {
      await replay.session.customRequest("retrostep/seek", { position });
    }
  };
  const goTo = ({ recording, position }: Moment): Promise<void> => replays.goTo(recording, position);
  return [
    command("goTo", goTo),
    command("replayHere", goTo),
    command("previousMoment", () => replays.goAlong("back")),
    command("nextMoment", () => replays.goAlong("forward")),
    command("goToStart", () => seek(async () => 0)),
    command("goToEnd", () => seek(async ({ end }) => end)),
    command("goToException", () =>
      seek(async (here) => {
        const position = await lastException(client, here);
        if (position === undefined) {
          vscode.window.setStatusBarMessage("The recording has no uncaught exception.", 4000);
        }
        return position;
      }),
    ),
    command("goToMoment", () =>
      seek(async (here) => {
        const text = await vscode.window.showInputBox({
          title: `Go to Moment · now at ${here.status}`,
          placeHolder: WAYS,
          prompt: WAYS,
          validateInput: (text) => meaning(client, here, text),
        });
        return text === undefined ? undefined : momentOf(client, here, text);
      }),
    ),
  ];
}

/** What the user types, in words; an error if it is no moment. */
async function meaning(
  client: Client,
  here: Position,
  text: string,
): Promise<vscode.InputBoxValidationMessage | undefined> {
  if (text.trim() === "") {
    return undefined;
  }
  const position = await momentOf(client, here, text);
  if (position === undefined) {
    return { message: `No moment "${text}". ${WAYS}.`, severity: vscode.InputBoxValidationSeverity.Error };
  }
  interface There {
    time: string;
    function?: string;
    line?: number;
  }
  const params = { recording: here.recording, position };
  const there = await client.request<There>("retrostep/moment", params).catch(() => undefined);
  const parts = [`Event ${position.toLocaleString("en")}`];
  if (there !== undefined) {
    parts.push(there.time);
    if (there.function !== undefined) {
      parts.push(there.line === undefined ? there.function : `${there.function} line ${there.line + 1}`);
    }
  }
  return { message: parts.join(", "), severity: vscode.InputBoxValidationSeverity.Info };
}

/** The position that a text names, within the recording. */
async function momentOf(client: Client, here: Position, text: string): Promise<number | undefined> {
  const word = text.trim().toLowerCase();
  if (word === "start") {
    return 0;
  }
  if (word === "end") {
    return here.end;
  }
  if (word === "exception") {
    return lastException(client, here);
  }
  const number = /^([+-]?)(\d[\d,_ ]*)$/.exec(word);
  if (number === null) {
    return undefined;
  }
  const count = Number(number[2].replace(/[,_ ]/g, ""));
  const sign = { "": 0, "+": 1, "-": -1 }[number[1]] ?? 0;
  const position = sign === 0 ? count : here.position + sign * count;
  return Math.min(Math.max(position, 0), here.end);
}

/** The last exception that nothing caught. */
async function lastException(client: Client, here: Position): Promise<number | undefined> {
  const { recordings } = await client.request<{ recordings: RecordingRow[] }>("retrostep/recordings", {});
  const exceptions = recordings.find(({ path }) => path === here.recording)?.exceptions ?? [];
  return exceptions.length === 0 ? undefined : Math.max(...exceptions.map(({ position }) => position));
}
