// The list is large: the build makes a file of its own from this one, which is loaded when it is needed.
export { parse } from 'tldts'
