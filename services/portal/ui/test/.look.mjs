import { launch, open } from '/work/main/services/portal/ui/test/browser.mjs'
import { serve } from '/work/main/services/portal/ui/test/server.mjs'
import { mkdirSync } from 'node:fs'
const [out, only = ''] = process.argv.slice(2)
mkdirSync(out, { recursive: true })
const server = await serve()
const browser = await launch()
const sizes = { s: [360, 740, 2, true], t: [768, 1024, 1, true], l: [1280, 800, 1, false], x: [1920, 1080, 1, false] }
const agent =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36'
const songs = [
  's4-1',
  's4-2',
  's4-3',
  's4-4',
  's10-1',
  's10-2',
  's12-1',
  's13-2',
  's14-1',
  's15-1',
  's16-2',
  's17-1',
  's3-1',
  's6-2',
]
const go = (page, hash) =>
  page.evaluate((h) => {
    const a = document.createElement('a')
    a.href = h
    document.body.append(a)
    a.click()
    a.remove()
  }, hash)
const scenes = {
  bar: async (p) => {
    await p.goto(server.url + '/')
  },
  rest: async (p) => {
    server.state.cast.state.sessions.clear()
    await p.goto(server.url + '/music')
  },
  album: async (p) => {
    await p.goto(server.url + '/album/a4')
  },
  now: async (p) => {
    await p.goto(server.url + '/')
    await p.waitForTimeout(500)
    await go(p, '#now')
  },
  queue: async (p) => {
    await p.goto(server.url + '/')
    await p.waitForTimeout(500)
    await go(p, '#now')
    await p.waitForTimeout(500)
    await p.evaluate(() => document.querySelector('.queue')?.scrollIntoView())
    await p.locator('.grip').nth(1).click()
  },
  place: async (p) => {
    await p.goto(server.url + '/')
    await p.waitForTimeout(500)
    await p
      .getByRole('button', { name: /^Play on/ })
      .locator('visible=true')
      .first()
      .click()
  },
  film: async (p) => {
    server.state.cast.play({ renderer: 'tv', items: ['f0', 'f1'], position: 1820 })
    await p.goto(server.url + '/')
    await p.waitForTimeout(500)
    await go(p, '#now')
  },
  filmpage: async (p) => {
    await p.goto(server.url + '/film/f0')
  },
  tracks: async (p) => {
    server.state.cast.play({ renderer: 'tv', items: ['f0', 'f1'], position: 1820 })
    await p.goto(server.url + '/')
    await p.waitForTimeout(500)
    await go(p, '#now')
    await p.waitForTimeout(300)
    await p.getByRole('button', { name: 'Sound and subtitles' }).click()
  },
  sleep: async (p) => {
    await p.goto(server.url + '/')
    await p.waitForTimeout(500)
    await go(p, '#now')
    await p.waitForTimeout(300)
    await p.getByRole('button', { name: 'Sleep timer' }).click()
  },
  menu: async (p) => {
    await p.goto(server.url + '/album/a4')
    await p.locator('main ol > li').nth(1).getByRole('button', { name: /^More/ }).click()
  },
  settings: async (p) => {
    await p.goto(server.url + '/settings')
  },
  picture: async (p) => {
    await p.goto(server.url + '/settings/picture')
  },
  cinema: async (p) => {
    server.state.cast.state.sessions.clear()
    await p.goto(server.url + '/film/f0/play')
    await p.waitForTimeout(2500)
    await p.mouse.move(200, 200)
  },
}
for (const [size, [width, height, dpr, touch]] of Object.entries(sizes))
  for (const theme of ['dark', 'light'])
    for (const [name, run] of Object.entries(scenes)) {
      const file = `${size}-${theme}-${name}`
      if (!new RegExp(only).test(file)) continue
      for (const x of [...server.state.cast.state.sessions.values()]) clearTimeout(x.timer)
      server.state.cast.state.sessions.clear()
      const c = server.state.cast
      c.play({ renderer: 'dlna-kitchen', items: ['s20-1', 's20-2'] })
      c.play({ renderer: 'tv', items: songs, position: 73 })
      const { page, troubles, close } = await open(browser, server.url, {
        width,
        height,
        theme,
        deviceScaleFactor: dpr,
        hasTouch: touch,
        isMobile: touch,
        ...(touch ? { userAgent: agent } : {}),
      })
      if (!touch)
        await page.addInitScript(() => localStorage.setItem('manofwar.settings', JSON.stringify({ place: 'tv' })))
      try {
        await run(page)
        await page.waitForTimeout(900)
        await page.screenshot({ path: `${out}/${file}.png`, fullPage: name === 'picture' || name === 'settings' })
      } catch (e) {
        console.log(file, e.message.split('\n')[0])
      }
      if (troubles.length) console.log(file, troubles)
      await close()
    }
await browser.close()
await server.close()
