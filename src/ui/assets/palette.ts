/**
 * The colours, in light and dark; text on its ground meets WCAG AA in both.
 *
 * @module
 */

const LIGHT = `
--bg:#f5f6f8;--panel:#fff;--raised:#fafbfc;--line:#e2e5ea;--strong:#c6ccd5;--ink:#14181f;--soft:#545d6b;
--accent:#2a55c8;--accent-bg:#ebf0fd;--focus:#2a55c8;--edge:#aab2bf;
--running:#1d5bc4;--running-bg:#e6effc;--running-fill:#5b8def;
--waiting:#845000;--waiting-bg:#fdf1d8;--waiting-fill:#e0a33a;
--completed:#146c3b;--completed-bg:#e1f5e9;--completed-fill:#3fae70;
--failed:#b1241c;--failed-bg:#fdebe9;--failed-fill:#e0544b;
--cancelled:#545d6b;--cancelled-bg:#eceef2;--cancelled-fill:#a2abb8;`;

const DARK = `
--bg:#0d1015;--panel:#14181f;--raised:#181d25;--line:#252c36;--strong:#3b4554;--ink:#e7ebf1;--soft:#9aa5b4;
--accent:#86abff;--accent-bg:#1a2540;--focus:#86abff;--edge:#4a5567;
--running:#8fb6ff;--running-bg:#16233c;--running-fill:#4c7fdc;
--waiting:#f0c267;--waiting-bg:#30240d;--waiting-fill:#c08a2c;
--completed:#70d49b;--completed-bg:#0f2b1c;--completed-fill:#2f9159;
--failed:#ff9d95;--failed-bg:#391614;--failed-fill:#d04f47;
--cancelled:#a5b0bf;--cancelled-bg:#222932;--cancelled-fill:#667182;`;

/** The colours as custom properties of the root element. */
export const PALETTE = `:root{color-scheme:light dark;${LIGHT}}@media (prefers-color-scheme:dark){:root{${DARK}}}`;
