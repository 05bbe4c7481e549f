/**
 * The command that prints completions for shells, made of the commands themselves.
 *
 * @module
 */

import { Argument, type Command, type Option } from "commander";
import { action } from "../command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

type Shell = (typeof SHELLS)[number];

/** Adds the command. */
export function addCompletionsCommand(program: Command): void {
  const command = program.command("completions").summary("print completions for a shell")
    .description(
      "Prints completions for a shell:\n" +
        "  bash:  source <(packtrail completions bash)\n" +
        '  zsh:   packtrail completions zsh > "${fpath[1]}/_packtrail"\n' +
        "  fish:  packtrail completions fish > ~/.config/fish/completions/packtrail.fish",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS));
  action(command, (_scene, shell: Shell) => Promise.resolve(console.log(completions(program, shell).trimEnd())));
}

/** The completions of a program for a shell. */
export function completions(program: Command, shell: Shell): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    about: command.summary(),
    options: [...command.options, ...program.options],
    takesFiles: command.registeredArguments.some((argument) => /file|folder|path/.test(argument.description)),
  }));
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
    default:
      return shell satisfies never;
  }
}

interface Completed {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Option[];
  readonly takesFiles: boolean;
}

function bash(commands: readonly Completed[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const cases = commands.map(({ name, options }) => {
    const words = options.map(({ long }) => long).join(" ");
    const values = options.filter(({ argChoices }) => argChoices !== undefined)
      .map(({ long, argChoices }) => `        ${long}) words="${argChoices!.join(" ")}" ;;`);
    const byOption = values.length === 0 ? "" : `\n      case "$before" in\n${values.join("\n")}\n      esac`;
    return `    ${name})\n      words="${words}"${byOption} ;;`;
  });
  return `# packtrail completions for bash
_packtrail() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" word words="${names}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${names} " in *" $word "*) command="$word"; break ;; esac
  done
  case "$command" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _packtrail packtrail`;
}

function zsh(commands: readonly Completed[]): string {
  const escaped = (text: string) => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, "\\$&");
  const list = commands.map(({ name, about }) => `    '${name}:${escaped(about)}'`);
  const cases = commands.map(({ name, options, takesFiles }) => {
    const specs = options.map(({ long, description, required, argChoices }) => {
      const value = argChoices === undefined ? (required ? ":value:_files" : "") : `:value:(${argChoices.join(" ")})`;
      return `'${long}[${escaped(description)}]${value}'`;
    });
    return `    ${name}) _arguments ${specs.join(" ")} '*:argument:${takesFiles ? "_files" : " "}' ;;`;
  });
  return `#compdef packtrail
_packtrail() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
_packtrail "$@"`;
}

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = ["# packtrail completions for fish"];
  for (const { name, about, options, takesFiles } of commands) {
    lines.push(`complete -c packtrail -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`);
    const when = `-n '__fish_seen_subcommand_from ${name}'${takesFiles ? "" : " -f"}`;
    for (const { long, description, required, argChoices } of options) {
      const value = argChoices === undefined ? (required ? " -r" : "") : ` -x -a ${quoted(argChoices.join(" "))}`;
      lines.push(`complete -c packtrail ${when} -l ${long!.slice(2)} -d ${quoted(description)}${value}`);
    }
  }
  return lines.join("\n");
}
