/** The part of undici that is used, imported by itself: the whole package takes three times as long to load. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici'
  export default Client
}
