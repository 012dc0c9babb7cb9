/** A user whom the servers of the scenarios know. The hash is what `htpasswd -nbB` prints. */
export interface Account {
  readonly username: string
  readonly password: string
  readonly htpasswd: string
}

/** Users of the kinds that the vendors hand out. */
export const accounts = {
  azure: {
    username: '00000000-0000-0000-0000-000000000000',
    password: 'acr-access-token',
    htpasswd: '00000000-0000-0000-0000-000000000000:$2y$04$DjrABGCPORQZ0CvJYQ0wLut3fQ0MgOQWWlMjG9SrNgbOrZ3qfRWJm',
  },
  robot: {
    username: 'org+robot',
    password: 'robot-password',
    htpasswd: 'org+robot:$2y$04$5QdQ1rNLOAy6g5oYtkRNVeqtGC4iZWzBXgjA2mpgjJJGtAFELQdpm',
  },
  accessKey: {
    username: 'access-key',
    password: 'secret-key',
    htpasswd: 'access-key:$2y$04$RGb5t/t8P1PYrWl2vRkO2.pGPNJ0Pf2TpqoQ6hJQBnLtaI/z/iqeO',
  },
  googleKey: {
    username: '_json_key',
    password: '{"type":"service_account","private_key":"a:b"}',
    htpasswd: '_json_key:$2y$04$6nAcAagcFOmbTAcKMGxf/u5.IwI6M66I7Y68XUZiNvN42Qwp4SjH6',
  },
  googleEncodedKey: {
    username: '_json_key_base64',
    password: 'eyJ0eXBlIjoic2VydmljZV9hY2NvdW50IiwicHJpdmF0ZV9rZXkiOiJhOmIifQ==',
    htpasswd: '_json_key_base64:$2y$04$15aBoQo1ZYMiJgILP6OQzexxp4WNS3q3hPZ3TvcOvrZW3nXuevjzG',
  },
  googleToken: {
    username: 'oauth2accesstoken',
    password: 'ya29.access-token',
    htpasswd: 'oauth2accesstoken:$2y$04$nOybQuKTa.NYB8f.EXA0GeCaYjxXs6XXHipV/S4Db0yI3MpbZswH.',
  },
} as const satisfies Record<string, Account>

/** The content of a password file that knows all of them. */
export const htpasswd = Object.values(accounts)
  .map((account) => `${account.htpasswd}\n`)
  .join('')

/** What stands in `auth` of a Docker configuration file. */
export function encodeAuth({ username, password }: Account): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}
