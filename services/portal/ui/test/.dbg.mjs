import { launch, open } from './browser.mjs'
import { serve } from './server.mjs'
const server = await serve()
const browser = await launch()
server.state.fail.set('/media/s4-1/file', { status: 422, code: 'corrupt', message: 's4-1: the file is damaged' })
const { page, troubles, close } = await open(browser, server.url, {})
await page.goto(server.url + '/album/a4')
const t0 = Date.now()
page.on('request', (r) => {
  if (/media.*file|cast/.test(r.url()))
    console.log(Date.now() - t0, r.method(), r.url().slice(22), r.postData()?.slice(0, 300) ?? '')
})
await page.getByRole('button', { name: 'Play', exact: true }).first().click()
await page.waitForTimeout(4000)
console.log(
  await page.locator('[role=status]').allInnerTexts(),
  await page.getByRole('region', { name: 'Player' }).innerText(),
)
console.log(JSON.stringify(server.state.cast.state.reports, null, 0))
await close()
await browser.close()
await server.close()
