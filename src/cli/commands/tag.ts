import { GantryError, isGantryError } from '../../errors.js'
import { describeTarget, namedSink, words } from '../arguments.js'
import { command, programOf } from '../command.js'
import { contentResultOf } from '../output/content-result.js'
import { transferOptions } from '../options/transfer.js'
import { PrefixedError } from '../prefixed-error.js'
import { UsageError } from '../usage-error.js'

const sink = namedSink()

/** What new tags are for; errors of its reference have the words that scripts for `oras` know. */
const toBeTagged: typeof sink = {
  ...sink,
  async open(words, opening) {
    try {
      return await sink.open(words, opening)
    } catch (error) {
      if (!isGantryError(error, 'invalid-reference')) throw error
      throw new PrefixedError(`unable to add tag for '${words[0] ?? ''}': `, error)
    }
  },
}

export default command({
  summary: 'Tag a manifest',
  description: 'Points one or more further tags at a manifest.',
  arguments: { target: toBeTagged, tags: words('<new_tag> [...]', 1) },
  needs: 'the artifact to be retagged and the tags to be added',
  options: transferOptions,
  examples: [["Tag the manifest 'v1' as 'latest' and 'stable'", 'tag localhost:5000/hello:v1 latest stable']],
  check({ words: [typed = '', ...tags], name, usage }) {
    const program = programOf(name)
    if (typed === 'ls' || typed === 'list') {
      throw new UsageError(`there is no "list" sub-command for "${name}" command`, {
        usage,
        hint: `If you want to list available tags in a repository, use "${program} repo tags"`,
      })
    }
    const whole = tags.find((tag) => tag.includes('/'))
    if (whole !== undefined) {
      throw new GantryError('invalid-argument', `"${whole}" is a reference, and a tag is wanted`, {
        hint: `Give the tag alone: ${name} ${typed} ${whole.slice(whole.lastIndexOf(':') + 1)}. To tag in another repository, use "${program} copy".`,
      })
    }
  },
  async run({ target, tags, client, signal, print, isForMachine }) {
    const say = (text: string): void => {
      if (!isForMachine) print.status(text)
    }
    const descriptor = await client.tag(target, tags, {
      onFound: ({ digest }) => say(`Tagging ${describeTarget(target, `${target.path}@${digest}`)}`),
      onTagged: (newTag) => say(`Tagged ${newTag}`),
      signal,
    })
    return { ...contentResultOf(target.path, descriptor), tags }
  },
})
