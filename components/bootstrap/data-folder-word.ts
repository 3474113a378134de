/** Stands for berth's folder on the host, whose path is known only there. */
export const dataFolderWord = "DATA_FOLDER";
