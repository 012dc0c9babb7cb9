import { describe, expect, test } from 'vitest'
import { classifyHost, mayPoint, type HostClass } from '../../../src/registry/http/host-class.js'

describe('classifyHost, after a URL parser has read the address', () => {
  test.each<[string, HostClass]>([
    // The place where clouds keep their metadata, in every spelling that a parser takes.
    ['169.254.169.254', 'link-local'],
    ['2852039166', 'link-local'],
    ['0xa9fea9fe', 'link-local'],
    ['0xa9.0xfe.0xa9.0xfe', 'link-local'],
    ['0251.0376.0251.0376', 'link-local'],
    ['169.254.43518', 'link-local'],
    ['169.16689662', 'link-local'],
    ['169.254.169.254.', 'link-local'],
    ['①⑥⑨.②⑤④.①⑥⑨.②⑤④', 'link-local'],
    ['%31%36%39.254.169.254', 'link-local'],
    ['[::ffff:169.254.169.254]', 'link-local'],
    ['[::ffff:a9fe:a9fe]', 'link-local'],
    ['[0:0:0:0:0:ffff:a9fe:a9fe]', 'link-local'],
    ['[::a9fe:a9fe]', 'link-local'],
    ['[::ffff:0:a9fe:a9fe]', 'link-local'],
    ['[64:ff9b::a9fe:a9fe]', 'link-local'],
    ['[64:ff9b:1::a9fe:a9fe]', 'link-local'],
    ['[2002:a9fe:a9fe::1]', 'link-local'],
    ['[fe80::1]', 'link-local'],
    // This machine.
    ['127.0.0.1', 'loopback'],
    ['127.1', 'loopback'],
    ['2130706433', 'loopback'],
    ['0x7f.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['localhost', 'loopback'],
    ['LOCALHOST.', 'loopback'],
    ['registry.localhost', 'loopback'],
    ['[::1]', 'loopback'],
    ['[::ffff:127.0.0.1]', 'loopback'],
    ['[64:ff9b::7f00:1]', 'loopback'],
    // The own network.
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['[fd00::1]', 'private'],
    ['[fec0::1]', 'private'],
    ['[::ffff:10.0.0.1]', 'private'],
    // Nobody.
    ['0.0.0.0', 'reserved'],
    ['0', 'reserved'],
    ['[::]', 'reserved'],
    ['224.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['[ff02::1]', 'reserved'],
    // Everybody else.
    ['registry.example.com', 'public'],
    ['notlocalhost', 'public'],
    ['localhost.example.com', 'public'],
    ['172.32.0.1', 'public'],
    ['100.128.0.1', 'public'],
    ['8.8.8.8', 'public'],
    ['[2606:4700::1111]', 'public'],
    ['[::ffff:8.8.8.8]', 'public'],
    ['[2002:808:808::1]', 'public'],
  ])('%s is %s', (host, expected) => {
    expect(classifyHost(new URL(`http://${host}/`).hostname)).toBe(expected)
  })
})

test.each<[HostClass, HostClass, boolean]>([
  ['public', 'public', true],
  ['public', 'private', false],
  ['public', 'loopback', false],
  ['public', 'link-local', false],
  ['private', 'public', true],
  ['private', 'private', true],
  ['private', 'loopback', false],
  ['private', 'link-local', false],
  ['loopback', 'public', true],
  ['loopback', 'private', true],
  ['loopback', 'loopback', true],
  ['loopback', 'link-local', false],
  ['loopback', 'reserved', false],
  ['link-local', 'link-local', false],
  ['reserved', 'reserved', false],
])('a %s registry may point to %s: %s', (from, to, expected) => {
  expect(mayPoint(from, to)).toBe(expected)
})
