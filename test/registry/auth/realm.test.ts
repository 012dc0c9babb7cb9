import { describe, expect, test } from 'vitest'
import { checkRealm } from '../../../src/registry/auth/realm.js'
import { registrableDomainOf } from '../../../src/registry/auth/registrable-domain.js'
import { classifyHost } from '../../../src/registry/http/host-class.js'

describe('registrableDomainOf', () => {
  test.each<[string, string | undefined]>([
    ['registry-1.docker.io', 'docker.io'],
    ['auth.docker.io', 'docker.io'],
    ['gitlab.com', 'gitlab.com'],
    ['registry.gitlab.com', 'gitlab.com'],
    ['Registry.Example.COM.', 'example.com'],
    ['registry.example.co.uk', 'example.co.uk'],
    ['example.co.uk', 'example.co.uk'],
    ['co.uk', undefined],
    ['registry.example.com.au', 'example.com.au'],
    ['contoso.azurecr.io', 'contoso.azurecr.io'],
    ['evil.azurecr.io', 'evil.azurecr.io'],
    ['1.dkr.ecr.eu-west-1.amazonaws.com', '1.dkr.ecr.eu-west-1.amazonaws.com'],
    ['user.github.io', 'user.github.io'],
    ['registry.cn-hangzhou.aliyuncs.com', 'cn-hangzhou.aliyuncs.com'],
    ['dockerauth.cn-hangzhou.aliyuncs.com', 'cn-hangzhou.aliyuncs.com'],
    ['10-0-0-1.nip.io', '10-0-0-1.nip.io'],
    // On the public suffix list, as private domains.
    ['team.gitlab.io', 'team.gitlab.io'],
    ['registry.team.herokuapp.com', 'team.herokuapp.com'],
    ['a.b.fly.dev', 'b.fly.dev'],
    // Nobody can register these.
    ['registry.local', undefined],
    ['registry.team.svc.cluster.local', undefined],
    ['registry.corp.internal', undefined],
    ['registry.kitchen.home.arpa', undefined],
    ['registry.lan', undefined],
    ['localhost', undefined],
    ['registry', undefined],
    ['127.0.0.1', undefined],
    ['[::1]', undefined],
    ['', undefined],
    ['a..b', undefined],
  ])('%s is registered as %s', async (host, domain) => {
    expect(await registrableDomainOf(host)).toBe(domain)
  })
})

describe('checkRealm', () => {
  const rows: [string, string, string, boolean | 'anonymous'][] = [
    ['Docker Hub', 'https://registry-1.docker.io', 'https://auth.docker.io/token', true],
    ['GitLab', 'https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', true],
    ['itself', 'https://quay.io', 'https://quay.io/v2/auth', true],
    ['itself with its port', 'https://h.example:443', 'https://h.example/token', true],
    ['another port of the same domain', 'https://h.example.com:5000', 'https://h.example.com:5001/token', true],
    ['a path on itself', 'https://h.example.com', '/token', true],
    [
      'another port of its name in plain http',
      'http://registry.internal:5000',
      'http://registry.internal:5001/t',
      true,
    ],
    ['another port of localhost', 'http://localhost:5000', 'http://localhost:5001/t', true],
    [
      'a neighbour in a cluster',
      'https://registry.a.svc.cluster.local',
      'https://auth.a.svc.cluster.local/t',
      'anonymous',
    ],
    ['a neighbour on a private suffix', 'https://a.gitlab.io', 'https://b.gitlab.io/t', 'anonymous'],
    ['GitLab of a company', 'https://registry.example.com', 'https://gitlab.example.com/jwt/auth', true],
    ['a neighbour at home', 'https://registry.k.home.arpa', 'https://auth.k.home.arpa/t', 'anonymous'],
    ['another domain', 'https://registry.example.com', 'https://evil.example.org/token', 'anonymous'],
    ['a domain that ends alike', 'https://registry.example.com', 'https://notexample.com/token', 'anonymous'],
    ['a neighbour on a shared domain', 'https://contoso.azurecr.io', 'https://evil.azurecr.io/token', 'anonymous'],
    ['plain http from https', 'https://registry.example.com', 'http://registry.example.com/token', false],
    [
      'plain http of the own domain, from plain http',
      'http://registry.example.com',
      'http://auth.example.com/token',
      'anonymous',
    ],
    ['itself in plain http', 'http://registry.example.com:5000', 'http://registry.example.com:5000/token', true],
    ['another port on loopback', 'http://127.0.0.1:5000', 'http://127.0.0.1:5001/t', 'anonymous'],
    ['itself on loopback', 'http://127.0.0.1:5000', 'http://127.0.0.1:5000/t', true],
    ['metadata', 'https://registry.example.com', 'https://169.254.169.254/', false],
    ['metadata as one number', 'https://registry.example.com', 'https://2852039166/', false],
    ['metadata in IPv6', 'https://registry.example.com', 'https://[::ffff:a9fe:a9fe]/', false],
    ['metadata from loopback', 'http://127.0.0.1:5000', 'http://169.254.169.254/', false],
    ['loopback', 'https://registry.example.com', 'https://localhost/t', false],
    ['loopback as one number', 'https://registry.example.com', 'https://2130706433/t', false],
    ['private', 'https://registry.example.com', 'https://10.0.0.1/t', false],
    ['user information', 'https://registry.example.com', 'https://user:pw@registry.example.com/t', false],
    [
      'a user that looks like the host',
      'https://registry.example.com',
      'https://registry.example.com@evil.example/t',
      false,
    ],
    ['a megabyte', 'https://registry.example.com', `https://registry.example.com/${'a'.repeat(1_000_000)}`, false],
  ]

  test.each(rows)('%s: %s may use %s: %s', async (_, registry, realm, expected) => {
    const origin = new URL(registry)
    const pointing = { origin, hostClass: classifyHost(origin.hostname) }
    const allows = async (hasCredential: boolean): Promise<boolean> => {
      try {
        await checkRealm(realm, new URL('/v2/', origin), { registry: pointing, hasCredential, trustedAuthHosts: [] })
        return true
      } catch (error) {
        expect(error).toMatchObject({ code: 'untrusted-destination' })
        return false
      }
    }
    expect({ credential: await allows(true), anonymous: await allows(false) }).toEqual({
      credential: expected === true,
      anonymous: expected !== false,
    })
  })

  test.each([
    ['auth.example.org', true],
    ['AUTH.example.org', true],
    ['auth.example.org:443', true],
    ['auth.example.org:8443', false],
    ['example.org', false],
    ['', false],
    ['*', false],
  ])('a user who trusts %j: %s', async (host, expected) => {
    const origin = new URL('https://registry.example.com')
    const rule = { registry: { origin, hostClass: 'public' as const }, hasCredential: true, trustedAuthHosts: [host] }
    const checked = checkRealm('https://auth.example.org/t', origin, rule)
    if (expected) expect((await checked).host).toBe('auth.example.org')
    else await expect(checked).rejects.toThrow('token service auth.example.org is not trusted for registry.example.com')
  })
})
