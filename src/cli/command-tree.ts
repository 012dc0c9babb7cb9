import type { CommandGroup } from './define-command.js'

/** Every command of gantry. Each module is imported only when its command is called. */
export const COMMAND_TREE: CommandGroup = {
  name: 'gantry',
  summary: 'Move artifacts between container registries',
  commands: [
    {
      name: 'push',
      summary: 'Push files to a registry or an OCI image layout',
      load: async () => (await import('./commands/push.js')).push,
    },
    {
      name: 'pull',
      summary: 'Pull files from a registry or an OCI image layout',
      load: async () => (await import('./commands/pull.js')).pull,
    },
    {
      name: 'attach',
      summary: 'Attach files to an existing artifact',
      load: async () => (await import('./commands/attach.js')).attach,
    },
    {
      name: 'discover',
      summary: 'Show what refers to a manifest',
      load: async () => (await import('./commands/discover.js')).discover,
    },
    {
      name: 'copy',
      aliases: ['cp'],
      summary: 'Copy artifacts from one target to another',
      load: async () => (await import('./commands/copy.js')).copyCommand,
    },
    {
      name: 'append',
      summary: 'Append layers to an image',
      load: async () => (await import('./commands/append.js')).append,
    },
    {
      name: 'tag',
      summary: 'Tag a manifest',
      load: async () => (await import('./commands/tag.js')).tag,
    },
    {
      name: 'resolve',
      aliases: ['digest'],
      summary: 'Show the digest that a reference stands for',
      load: async () => (await import('./commands/resolve.js')).resolve,
    },
    {
      name: 'manifest',
      summary: 'Work with manifests',
      commands: [
        {
          name: 'fetch',
          aliases: ['get', 'show'],
          summary: 'Fetch a manifest',
          load: async () => (await import('./commands/manifest-fetch.js')).manifestFetch,
        },
        {
          name: 'fetch-config',
          aliases: ['get-config'],
          summary: 'Fetch the config of a manifest',
          load: async () => (await import('./commands/manifest-fetch-config.js')).manifestFetchConfig,
        },
        {
          name: 'push',
          summary: 'Push a manifest',
          load: async () => (await import('./commands/manifest-push.js')).manifestPush,
        },
        {
          name: 'delete',
          aliases: ['remove', 'rm'],
          summary: 'Delete a manifest, or a whole graph',
          load: async () => (await import('./commands/manifest-delete.js')).manifestDelete,
        },
      ],
    },
    {
      name: 'blob',
      summary: 'Work with blobs',
      commands: [
        {
          name: 'fetch',
          aliases: ['get'],
          summary: 'Fetch a blob',
          load: async () => (await import('./commands/blob-fetch.js')).blobFetch,
        },
        {
          name: 'push',
          summary: 'Push a blob',
          load: async () => (await import('./commands/blob-push.js')).blobPush,
        },
        {
          name: 'delete',
          aliases: ['remove', 'rm'],
          summary: 'Delete a blob',
          load: async () => (await import('./commands/blob-delete.js')).blobDelete,
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
          load: async () => (await import('./commands/repo-ls.js')).repoLs,
        },
        {
          name: 'tags',
          aliases: ['show-tags'],
          summary: 'List the tags of a repository',
          load: async () => (await import('./commands/repo-tags.js')).repoTags,
        },
      ],
    },
    {
      name: 'login',
      summary: 'Log in to a registry',
      load: async () => (await import('./commands/login.js')).login,
    },
    {
      name: 'logout',
      summary: 'Log out of a registry',
      load: async () => (await import('./commands/logout.js')).logout,
    },
    {
      name: 'registry',
      summary: 'Run a registry of your own',
      commands: [
        {
          name: 'serve',
          summary: 'Serve a registry on this machine',
          load: async () => (await import('./commands/registry-serve.js')).registryServe,
        },
      ],
    },
    {
      name: 'completion',
      summary: 'Print the completion script for a shell',
      load: async () => (await import('./commands/completion.js')).completion,
    },
    {
      name: 'version',
      summary: 'Show the version',
      load: async () => (await import('./commands/version.js')).version,
    },
  ],
}
