/** Films over HLS, their keys, and what goes wrong on the way. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advances, firstFilm, server, standIn, titleOf, visit } from './harness.mjs'

test('a film plays over HLS, decodes frames, and a seek to the middle lands', async () => {
  const film = await firstFilm()
  await visit(`/film/${film.id}`, async (page) => {
    const segments = []
    page.on('response', (response) => {
      if (response.url().includes('/hls/') && response.ok()) segments.push(response.url())
    })
    await page.getByRole('link', { name: 'Play' }).click()
    await advances(page, '#video')
    const frames = () =>
      page.evaluate(() => document.querySelector('#video').getVideoPlaybackQuality().totalVideoFrames)
    assert.ok((await frames()) > 0, 'frames decode')
    assert.ok(segments.length > 1, 'over HLS')
    const middle = await page.evaluate(() => document.querySelector('#video').duration / 2)
    const slider = page.getByRole('slider', { name: 'Position' })
    await page.mouse.move(300, 300)
    const box = await slider.boundingBox()
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
    await page.waitForFunction((to) => Math.abs(document.querySelector('#video').currentTime - to) < to * 0.2, middle)
    await page.evaluate(() => (window.from = undefined))
    const before = await frames()
    await advances(page, '#video')
    assert.ok((await frames()) > before, 'frames decode after the seek')
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { level: 1, name: titleOf(film) }).waitFor()
  })
})

test('keys pause, seek and show subtitles', standIn, () =>
  visit('/film/f0/play', async (page) => {
    await advances(page, '#video', 0.5)
    await page.keyboard.press('Space')
    await page.waitForFunction(() => document.querySelector('#video').paused)
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction(() => document.querySelector('#video').currentTime > 9)
    await page.keyboard.press('c')
    await page.getByText('Subtitles: German').waitFor()
    await page.waitForFunction(() => document.querySelector('#video').textTracks[0].activeCues?.length === 1)
  }),
)

test('a film the server cannot package plays as the file it is', standIn, async () => {
  const film = server.state.library.items.find((each) => each.id === 'f1')
  film.container = 'mp4'
  server.state.fail.set('/media/f1/hls/index.m3u8', {
    status: 422,
    code: 'unsupported',
    message: 'f1: not supported',
  })
  await visit(
    '/film/f1/play',
    async (page) => {
      await advances(page, '#video', 0.5)
      assert.match(await page.evaluate(() => document.querySelector('#video').currentSrc), /\/media\/f1\/file$/)
    },
    { allow: [/422/] },
  )
  server.state.fail.clear()
})

test('a disk that is pulled out stops the film, and its return goes on', standIn, async () => {
  const { status } = server.state
  const why = { status: 503, code: 'away', message: 'f4: its disk is not connected' }
  for (let segment = 6; segment < 20; segment++) server.state.fail.set(`/media/f4/hls/${segment}.m4s`, why)
  await visit(
    '/film/f4/play',
    async (page) => {
      await advances(page, '#video', 0.5)
      server.state.fail.set('/media/f4/file', why)
      server.tell('library', { ...status.library, roots: [{ ...status.library.roots[0], away: true }] })
      await page.evaluate(() => (document.querySelector('#video').currentTime = 40))
      const gone = page.getByRole('alert').getByText('The disk with this is not connected')
      await gone.waitFor()
      server.state.fail.clear()
      server.tell('library', status.library)
      await gone.waitFor({ state: 'detached' })
      await page.waitForFunction(() => document.querySelector('#video').currentTime > 40.5)
    },
    { allow: [/503/] },
  )
})

test('a film that cannot be played says why', standIn, async () => {
  const why = {
    status: 422,
    code: 'unsupported',
    message: 'Windfall.wmv: WMV3 is not supported',
    hint: 'Convert it to H.264 on a computer.',
  }
  for (const path of ['hls/index.m3u8', 'file']) server.state.fail.set(`/media/f2/${path}`, why)
  await visit(
    '/film/f2/play',
    async (page) => {
      const alert = page.getByRole('alert')
      await alert.getByRole('heading', { name: 'This format cannot be played yet' }).waitFor()
      await alert.getByText(why.hint).waitFor()
      await alert.getByText('Details').click()
      await alert.getByText(why.message).waitFor()
      server.state.fail.clear()
      await alert.getByRole('button', { name: 'Try again' }).click()
      await advances(page, '#video', 0.5)
    },
    { allow: [/422/] },
  )
})
