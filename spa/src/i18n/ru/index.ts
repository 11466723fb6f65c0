import common from "./common.json";
import connect from "./connect.json";
import home from "./home.json";
import needs from "./needs.json";
import problem from "./problem.json";
import run from "./run.json";
import settings from "./settings.json";
import watching from "./watching.json";

export default { common, connect, home, needs, problem, run, settings, watching };
