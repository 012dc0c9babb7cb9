// Written by scripts/command-tree.js from the files in commands/. Do not edit.
import type { CommandGroup } from './command.js'

/** Every command of gantry. Each module is imported only when its command is called. */
export const COMMAND_TREE: CommandGroup = {
  name: 'gantry',
  summary: 'Move artifacts between container registries',
  commands: [
    {
      name: 'append',
      summary: 'Append layers to an image',
      load: async () => (await import('./commands/append.js')).default,
    },
    {
      name: 'attach',
      summary: 'Attach files to an existing artifact',
      load: async () => (await import('./commands/attach.js')).default,
    },
    {
      name: 'attest',
      summary: 'Sign a statement about an artifact or an image, and keep it with it',
      load: async () => (await import('./commands/attest.js')).default,
    },
    {
      name: 'backup',
      stage: 'experimental',
      summary: 'Back up a repository into a folder or a tar',
      load: async () => (await import('./commands/backup.js')).default,
    },
    {
      name: 'blob',
      summary: 'Work with blobs',
      commands: [
        {
          name: 'delete',
          aliases: ['remove', 'rm'],
          summary: 'Delete a blob',
          load: async () => (await import('./commands/blob/delete.js')).default,
        },
        {
          name: 'fetch',
          aliases: ['get'],
          summary: 'Fetch a blob',
          load: async () => (await import('./commands/blob/fetch.js')).default,
        },
        { name: 'push', summary: 'Push a blob', load: async () => (await import('./commands/blob/push.js')).default },
      ],
    },
    {
      name: 'completion',
      summary: 'Print the completion script for a shell',
      commands: [
        {
          name: 'bash',
          summary: 'Print the completion script for bash',
          load: async () => (await import('./commands/completion/bash.js')).default,
        },
        {
          name: 'fish',
          summary: 'Print the completion script for fish',
          load: async () => (await import('./commands/completion/fish.js')).default,
        },
        {
          name: 'powershell',
          summary: 'Print the completion script for powershell',
          load: async () => (await import('./commands/completion/powershell.js')).default,
        },
        {
          name: 'zsh',
          summary: 'Print the completion script for zsh',
          load: async () => (await import('./commands/completion/zsh.js')).default,
        },
      ],
    },
    {
      name: 'config',
      summary: 'Show the config of an image',
      load: async () => (await import('./commands/config.js')).default,
    },
    {
      name: 'copy',
      aliases: ['cp'],
      summary: 'Copy artifacts from one target to another',
      load: async () => (await import('./commands/copy.js')).default,
    },
    {
      name: 'discover',
      stage: 'preview',
      summary: 'Show what refers to a manifest',
      load: async () => (await import('./commands/discover.js')).default,
    },
    {
      name: 'export',
      summary: 'Write the file system of an image as a tar',
      load: async () => (await import('./commands/export.js')).default,
    },
    {
      name: 'flatten',
      summary: 'Make one layer of all layers of an image',
      load: async () => (await import('./commands/flatten.js')).default,
    },
    {
      name: 'generate-key-pair',
      summary: 'Make a pair of keys to sign with',
      load: async () => (await import('./commands/generate-key-pair.js')).default,
    },
    {
      name: 'layout',
      summary: 'Work with image layouts',
      commands: [
        {
          name: 'gc',
          summary: 'Remove what nothing in an image layout refers to',
          load: async () => (await import('./commands/layout/gc.js')).default,
        },
      ],
    },
    { name: 'login', summary: 'Log in to a registry', load: async () => (await import('./commands/login.js')).default },
    {
      name: 'logout',
      summary: 'Log out of a registry',
      load: async () => (await import('./commands/logout.js')).default,
    },
    {
      name: 'manifest',
      summary: 'Work with manifests',
      commands: [
        {
          name: 'delete',
          aliases: ['remove', 'rm'],
          summary: 'Delete a manifest, or a whole graph',
          load: async () => (await import('./commands/manifest/delete.js')).default,
        },
        {
          name: 'fetch',
          aliases: ['get', 'show'],
          summary: 'Fetch a manifest',
          load: async () => (await import('./commands/manifest/fetch.js')).default,
        },
        {
          name: 'fetch-config',
          aliases: ['get-config'],
          summary: 'Fetch the config of a manifest',
          load: async () => (await import('./commands/manifest/fetch-config.js')).default,
        },
        {
          name: 'index',
          stage: 'experimental',
          summary: 'Work with indexes',
          commands: [
            {
              name: 'create',
              aliases: ['pack'],
              stage: 'experimental',
              summary: 'Create an index of manifests',
              load: async () => (await import('./commands/manifest/index/create.js')).default,
            },
            {
              name: 'update',
              stage: 'experimental',
              summary: 'Change an index',
              load: async () => (await import('./commands/manifest/index/update.js')).default,
            },
          ],
        },
        {
          name: 'push',
          summary: 'Push a manifest',
          load: async () => (await import('./commands/manifest/push.js')).default,
        },
      ],
    },
    {
      name: 'mutate',
      summary: 'Change an image: its labels, environment, command and the like',
      load: async () => (await import('./commands/mutate.js')).default,
    },
    {
      name: 'pull',
      summary: 'Pull files from a registry or an OCI image layout',
      load: async () => (await import('./commands/pull.js')).default,
    },
    {
      name: 'push',
      summary: 'Push files to a registry or an OCI image layout',
      load: async () => (await import('./commands/push.js')).default,
    },
    {
      name: 'rebase',
      summary: 'Put an image on another base',
      load: async () => (await import('./commands/rebase.js')).default,
    },
    {
      name: 'registry',
      summary: 'Run a registry of your own, and keep settings of others',
      commands: [
        {
          name: 'serve',
          summary: 'Serve a registry on this machine',
          load: async () => (await import('./commands/registry/serve.js')).default,
        },
        {
          name: 'set',
          summary: 'Keep settings of a registry',
          load: async () => (await import('./commands/registry/set.js')).default,
        },
        {
          name: 'show',
          summary: 'Show the settings of registries',
          load: async () => (await import('./commands/registry/show.js')).default,
        },
        {
          name: 'unset',
          summary: 'Take settings of a registry away',
          load: async () => (await import('./commands/registry/unset.js')).default,
        },
      ],
    },
    {
      name: 'repo',
      aliases: ['repository'],
      summary: 'Work with repositories',
      commands: [
        {
          name: 'ls',
          aliases: ['list'],
          summary: 'List the repositories of a registry',
          load: async () => (await import('./commands/repo/ls.js')).default,
        },
        {
          name: 'tags',
          aliases: ['show-tags'],
          summary: 'List the tags of a repository',
          load: async () => (await import('./commands/repo/tags.js')).default,
        },
      ],
    },
    {
      name: 'resolve',
      aliases: ['digest'],
      stage: 'preview',
      summary: 'Show the digest that a reference stands for',
      load: async () => (await import('./commands/resolve.js')).default,
    },
    {
      name: 'restore',
      stage: 'experimental',
      summary: 'Restore a repository from a backup',
      load: async () => (await import('./commands/restore.js')).default,
    },
    {
      name: 'sign',
      summary: 'Sign an artifact or an image with a key',
      load: async () => (await import('./commands/sign.js')).default,
    },
    { name: 'tag', summary: 'Tag a manifest', load: async () => (await import('./commands/tag.js')).default },
    {
      name: 'validate',
      summary: 'Check that an image is complete and consistent',
      load: async () => (await import('./commands/validate.js')).default,
    },
    {
      name: 'verify',
      summary: 'Verify who has signed an artifact or an image',
      load: async () => (await import('./commands/verify.js')).default,
    },
    {
      name: 'verify-attestation',
      summary: 'Verify a signed statement about an artifact or an image, and print it',
      load: async () => (await import('./commands/verify-attestation.js')).default,
    },
    { name: 'version', summary: 'Show the version', load: async () => (await import('./commands/version.js')).default },
  ],
}
