import { isGroup, type CommandGroup, type CommandNode } from './command.js'

/** A node of the tree, the full name that leads to it, and what is left of the command line. */
export interface FoundCommand {
  readonly node: CommandNode
  readonly path: readonly string[]
  /** The whole tree that it was found in. */
  readonly root: CommandGroup
  readonly rest: readonly string[]
}

/** Walks the command line down the tree as far as its words are names of commands. */
export function findCommand(words: readonly string[], root: CommandGroup): FoundCommand {
  let node: CommandNode = root
  const path = [root.name]
  let index = 0
  while (isGroup(node)) {
    const word = words[index]
    const next: CommandNode | undefined = node.commands.find(
      ({ name, aliases }) => name === word || (word !== undefined && aliases?.includes(word) === true),
    )
    if (next === undefined) break
    node = next
    // Under the name that was typed: usage lines are read by whoever typed it.
    path.push(word ?? next.name)
    index++
  }
  return { node, path, root, rest: words.slice(index) }
}
