import { existsSync, readdirSync, rmSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

const out = new URL('./dist/', import.meta.url)

/** Empties dist/ but for .gitkeep, without which a clone that never built the page would not compile: Go embeds dist/. */
function emptyDist(): Plugin {
  return {
    name: 'empty-dist',
    apply: 'build',
    buildStart() {
      if (!existsSync(out)) return
      for (const name of readdirSync(out)) if (name !== '.gitkeep') rmSync(new URL(name, out), { recursive: true })
    },
  }
}

export default defineConfig({
  plugins: [svelte(), emptyDist()],
  build: {
    target: ['es2022', 'chrome111', 'firefox114', 'safari16.4'],
    emptyOutDir: false,
    assetsInlineLimit: 0, // data: URLs of scripts and styles would not pass the content security policy
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.txt' }, // of what is bundled: their terms want it handed on
    chunkSizeWarningLimit: 600, // hls.js, which only a film loads
  },
  server: {
    proxy: Object.fromEntries(['/api', '/media', '/healthz'].map((path) => [path, 'http://127.0.0.1:8080'])),
  },
})
