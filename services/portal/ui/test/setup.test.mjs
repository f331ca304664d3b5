/**
 * Accessibility of the setup pages, by axe: the portal's own, as its tests keep them in testdata/setup. Without scripts,
 * in both themes, on the narrowest phone and on a laptop.
 */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { launch, open } from './browser.mjs'
import { policy } from './server.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const folder = new URL('../../testdata/setup/', import.meta.url)
const style = new URL('../../setup/style.css', import.meta.url)

let [server, browser, base] = []
before(async () => {
  server = createServer((request, response) => {
    const css = request.url === '/setup/style.css'
    const content = css
      ? readFileSync(style)
      : readFileSync(new URL('.' + request.url, folder), 'utf8').replace(/<meta http-equiv="refresh"[^>]*>/, '')
    response
      .writeHead(200, {
        'Content-Type': css ? 'text/css' : 'text/html; charset=utf-8',
        'Content-Security-Policy': policy,
      })
      .end(content)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${server.address().port}`
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await new Promise((resolve) => server.close(resolve))
})

for (const [width, height] of [
  [320, 568],
  [1280, 800],
])
  for (const theme of ['dark', 'light'])
    test(`${width} px, ${theme}`, async (context) => {
      const { page, troubles, close } = await open(browser, base, { width, height, theme, reducedMotion: 'reduce' })
      try {
        for (const name of readdirSync(folder))
          await context.test(name, async () => {
            await page.goto(`${base}/${name}`)
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
            assert.ok(overflow <= 0, `${overflow} px wider than the window`)
            const small = await page.evaluate(() =>
              [...document.querySelectorAll('a, button, select, input:not([type=hidden]):not([type=checkbox]), .check')]
                .filter((each) => each.getBoundingClientRect().height < 44)
                .map((each) => each.outerHTML),
            )
            assert.deepEqual(small, [], 'lower than a finger is wide')
            await page.evaluate(axe)
            const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), tags)
            const found = violations.flatMap(({ id, nodes }) =>
              nodes.map((node) => `${id}: ${node.target} ${node.any[0]?.message ?? node.failureSummary}`),
            )
            assert.deepEqual(found, [])
          })
        await context.test('no trouble', () => assert.deepEqual(troubles, []))
      } finally {
        await close()
      }
    })
