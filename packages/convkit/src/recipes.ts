// Trainings as plain data, by the names that `convkit train` knows.
export * from "@convkit/trainer/recipes";
