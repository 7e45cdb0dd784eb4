// Checks web pages for accessibility, as a reader meets them: in Chromium, on a wide screen, on the narrowest that RGAA asks
// for (320 px) and as printed, by axe-core with every rule that it has for WCAG 2.2 A and AA, RGAA 4 and good practice.
//
//   node eng/accessibility.mjs FILE.html…
//
// Prints one line for each violation; exit status 1 when there is one, 2 when no browser is found.
// Environment: JAFER_CHROMIUM, the browser's program (default: the first of chromium, google-chrome on the PATH).
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const program = process.env.JAFER_CHROMIUM
  || browsers.flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name))).find((path) => existsSync(path));
if (!program) {
  console.error('no Chromium: ./jafer setup --browser installs it on Debian; elsewhere set JAFER_CHROMIUM');
  process.exit(2);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screens = { wide: { width: 1280, height: 900 }, narrow: { width: 320, height: 640 } };
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] });
let violations = 0;
let checked = 0;
function tell(file, screen, text) {
  violations += 1;
  console.log(`${basename(file)} (${screen}): ${text}`);
}

try {
  for (const file of process.argv.slice(2)) {
    for (const [screen, viewport] of Object.entries(screens)) {
      // The pages forbid scripts; axe is let in all the same. Nothing may be loaded from elsewhere.
      const context = await browser.newContext({ viewport, bypassCSP: true, locale: 'fr-FR' });
      const page = await context.newPage();
      const loaded = [];
      page.on('request', (request) => loaded.push(request.url()));
      await page.goto(pathToFileURL(resolve(file)).href);
      for (const url of loaded.slice(1)) tell(file, screen, `loads ${url}`);
      await page.evaluate(axe);
      // Paper is as wide as it is, whatever screen it is printed from.
      for (const media of screen === 'wide' ? ['screen', 'print'] : ['screen']) {
        await page.emulateMedia({ media });
        const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations', 'incomplete'] }));
        checked += result.passes.length;
        for (const { id, help, nodes } of result.violations) tell(file, `${screen}, ${media}`, `${id}: ${help}: ${nodes.map(({ html }) => html).slice(0, 3).join(' ')}`);
        // What axe cannot decide would be left to a person: none of it may remain.
        for (const { id, help, nodes } of result.incomplete) {
          // A table's cells that are scrolled out of sight; the same colours are decided on the wide screen.
          if (id === 'color-contrast' && screen === 'narrow') continue;
          // Text of a chart stands on shapes, of which axe sees nothing; PublicPageTests compares the colours.
          if (id === 'color-contrast' && nodes.every(({ html }) => html.startsWith('<text '))) continue;
          tell(file, `${screen}, ${media}`, `${id}: not decided: ${help}`);
        }
      }
      await page.emulateMedia({ media: 'screen' });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > viewport.width) tell(file, screen, `must be scrolled sideways: ${width} px wide`);
      await context.close();
    }
  }
} finally {
  await browser.close();
}
console.log(`${process.argv.length - 2} pages, ${checked} rules held, ${violations} violations`);
process.exitCode = violations > 0 || checked === 0 ? 1 : 0;
