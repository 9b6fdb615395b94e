// Puts the cards together: what is asked, how often, and who shows it.

import { askJson, askText, every } from "./api.js";
import { addChange, drawChanges, showStreamState, startChanges } from "./changes.js";
import { ALERTS_PATH, showAlerts } from "./churn.js";
import { startCustomer } from "./customer.js";
import { FEEDBACK_PATH, showFeedback, startFeedback } from "./feedback.js";
import { addMove, drawFlow, startFlow } from "./flow.js";
import { showGrid, showGridValues, startGrid } from "./grid.js";
import { startNumbers } from "./numbers.js";
import { showRisk, startRisk, VALUE_PATH } from "./risk.js";
import { follow } from "./stream.js";
import { startTheme } from "./theme.js";
import { showTiers, startTiers } from "./tiers.js";
import { fails, works } from "./trouble.js";
import { showMetrics, showTasks, startWork, WORK_SECONDS } from "./work.js";

const DRAW_MS = 500; // changes may come by the thousand a second

function keep(what, seconds, ask, ...shows) {
    every(seconds, ask, (answer) => {
        works(what);
        shows.forEach((show) => show(answer));
    }, (error) => fails(what, error));
}

startTheme();
startNumbers();
startTiers();
startFlow();
startGrid();
startChanges();
startFeedback();
startRisk();
startWork();

keep("tiers", 2, () => askJson("v1/tiers"), showTiers, showGrid);
keep("tasks", WORK_SECONDS, () => askJson("v1/tasks"), showTasks);
keep("metrics", WORK_SECONDS, () => askText("metrics"), showMetrics);
keep("alerts", 10, () => askJson(ALERTS_PATH), showAlerts);
keep("value", 30, () => askJson(VALUE_PATH), showRisk, showGridValues);
keep("feedback", 30, () => askJson(FEEDBACK_PATH), showFeedback);

follow("v1/changes", (change) => {
    addChange(change);
    addMove(change);
}, showStreamState);
setInterval(() => {
    drawChanges();
    drawFlow();
}, DRAW_MS);

startCustomer();
