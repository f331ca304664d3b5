/** Takes pictures of the screens, for the eye: "npm run shots -- FOLDER [pattern]". */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, open } from './browser.mjs'
import { serve } from './server.mjs'

const [folder = 'shots', pattern = ''] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const server = await serve()
const browser = await launch()

const sizes = { phone: [390, 844, 2], small: [320, 640, 2], laptop: [1440, 900, 1], tv: [1920, 1080, 1] }
const screens = {
  home: '/', albums: '/music', songs: '/music/songs', album: '/album/a4', films: '/films', film: '/film/f0', search: '/search?q=ha', device: '/device',
  settings: '/settings', design: '/design', now: '/album/a4#now', cinema: '/film/f0/play', missing: '/nowhere',
}
for (const [size, [width, height, deviceScaleFactor]] of Object.entries(sizes)) {
  for (const theme of ['dark', 'light']) {
    for (const [name, path] of Object.entries(screens)) {
      const file = `${size}-${theme}-${name}.png`
      if (!new RegExp(pattern).test(file)) continue
      const { page, troubles, close } = await open(browser, server.url, { width, height, theme, deviceScaleFactor })
      const tv = size === 'tv' ? '?tv' : ''
      if (['now', 'album', 'home', 'songs'].includes(name)) {
        await page.goto(server.url + '/album/a4' + tv)
        await page.getByRole('button', { name: 'Play', exact: true }).first().click()
        await page.waitForFunction(() => document.querySelector('#audio').currentTime > 1)
        await page.evaluate((to) => { const a = document.createElement('a'); a.href = to; document.body.append(a); a.click(); a.remove() }, name === 'now' ? '#now' : path)
      } else {
        await page.goto(server.url + path + (path.includes('?') ? '&' + tv.slice(1) : tv))
      }
      await page.waitForTimeout(900)
      await page.screenshot({ path: join(folder, file), fullPage: name === 'design' })
      if (troubles.length) console.log(file, troubles)
      await close()
    }
  }
}
await browser.close()
await server.close()
