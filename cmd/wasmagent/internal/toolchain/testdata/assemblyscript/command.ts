// The same program as a command.
import { main } from "./index";

process.exit(main());
