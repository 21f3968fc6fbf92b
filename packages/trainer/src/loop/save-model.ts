export { saveModel } from "@convkit/weights";
