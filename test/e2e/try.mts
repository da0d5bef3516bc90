import { startApp } from "./support/app.js";
const app = await startApp();
const page = await app.openPage();
page.on("console", (m) => console.log("console", m.type(), m.text().slice(0,300)));
page.on("pageerror", (e) => console.log("pageerror", e.message.slice(0,500)));
page.on("worker", w => console.log("worker", w.url().slice(-30)));
await page.setViewportSize({width:1280,height:800});
await page.goto(app.url);
await page.waitForTimeout(1500);
await page.screenshot({path:"/tmp/w.png"});
console.log(await page.locator("body").innerText());
const t=Date.now();
await page.getByText(/demo/i).first().click();
for (let i=0;i<12;i++){ await page.waitForTimeout(2000); const s=(await page.locator("body").innerText()).replace(/\n+/g," | ").slice(0,400); console.log(Date.now()-t, s); if (/running|går|Slå/.test(s)&&i>6) break;}
await page.screenshot({path:"/tmp/d.png", fullPage:true});
await app.stop();
