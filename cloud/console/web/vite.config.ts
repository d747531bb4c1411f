import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // what the first page needs is one file: on a poor line each request costs more than its bytes
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'first', test: /web\/main\.tsx$/ }] } } },
  },
})
